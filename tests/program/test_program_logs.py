from __future__ import annotations

import subprocess
import sys

import pytest

CRASH = """
import logging, structlog
from bot.logs import set_up_logs

set_up_logs(as_json={as_json})

def use(token):
    raise ValueError("no use")

for log in (structlog.get_logger("ours"), logging.getLogger("a.library")):
    try:
        use("xoxb-planted-" + "token")
    except ValueError:
        log.exception("it.failed")
"""


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
def test_a_traceback_shows_no_variables(as_json: bool) -> None:
    """They hold tokens and what people wrote, and formatting them holds up the loop."""
    told = subprocess.run(
        [sys.executable, "-c", CRASH.format(as_json=as_json)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stderr

    assert told.count("ValueError: no use") == 2
    assert "xoxb-planted-token" not in told
