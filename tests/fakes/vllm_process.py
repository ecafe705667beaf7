"""A program in vLLM's place: it starts in no time and dies as a test tells it.

It is found as `python -m vllm.entrypoints.openai.api_server` through PYTHONPATH,
so the launcher runs as it is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

PROGRAM = """
import json, os, signal, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

home = Path(__file__).parents[3]
starts = home / "starts"
number = len(list(starts.iterdir()))
behaviours = json.loads((home / "behaviours.json").read_text())
behaviour = behaviours[min(number, len(behaviours) - 1)]
value = lambda name: sys.argv[sys.argv.index(name) + 1]
deaf = subprocess.Popen(
    [sys.executable, "-S", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
     "print('deaf', flush=True); time.sleep(600)"], stdout=subprocess.PIPE)
deaf.stdout.readline()
(starts / str(number)).write_text(json.dumps([os.getpid(), deaf.pid]))
if not behaviour.startswith("serves"):
    sys.exit(behaviour)
print(behaviour, flush=True)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"data": [{"id": "x", "root": value("--model"), "max_model_len": 512}]}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = ThreadingHTTPServer((value("--host"), int(value("--port"))), Handler)
print("INFO: Application startup complete.", flush=True)
server.serve_forever()
"""


class VllmProcesses:
    """Where the stand-in lives, what it does at each start, and which processes it made."""

    def __init__(self, home: Path, behaviours: list[str]) -> None:
        """Write the program; each behaviour is `serves` (and what it says), or its last words."""
        self.home = home
        package = home / "vllm" / "entrypoints" / "openai"
        package.mkdir(parents=True)
        for folder in (package, package.parent, package.parent.parent):
            (folder / "__init__.py").write_text("")
        (package / "api_server.py").write_text(PROGRAM)
        (home / "starts").mkdir()
        (home / "behaviours.json").write_text(json.dumps(behaviours))

    @property
    def starts(self) -> list[tuple[int, int]]:
        """For each start the server's process id and that of its child, which ignores SIGTERM."""
        files = sorted((self.home / "starts").iterdir(), key=lambda path: int(path.name))
        texts = [path.read_text() for path in files]
        return [(pids[0], pids[1]) for text in texts if text for pids in (json.loads(text),)]

    def command(self) -> list[str]:
        """The command line of the first start."""
        raw = Path(f"/proc/{self.starts[0][0]}/cmdline").read_bytes()
        return raw.decode().rstrip("\0").split("\0")

    @property
    def alive(self) -> list[int]:
        """Those of its processes that run."""
        return [pid for start in self.starts for pid in start if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
