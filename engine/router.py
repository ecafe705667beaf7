"""vllm-router before several engines: one address, each conversation with one of them.

Its `consistent_hash` sends what carries the same session to the same replica,
whose prefix cache then knows the conversation. Its own settings are made for
fleets: by default it asks a replica for its health once a minute and sends ten
requests into the void before it takes another. These settings are made for
people who wait.

Pure: says how it is started. It runs as a process of the operator's.
"""

from __future__ import annotations

from collections.abc import Sequence

SESSION_HEADER = "X-Session-ID"
"""What the router tells conversations apart by. A request without one is told apart by its body,
which then stands in the router's log."""
COMMAND = "vllm-router"
NOT_INSTALLED = "vllm-router is not installed in this environment: pip install 'jay-gptj[router]'."
HEALTH_EVERY_S = 2
HEALTH_TIMEOUT_S = 2
MISSES = 2
"""Failed looks, or failed requests, after which a replica gets nothing more. Four seconds for one
that hangs; at once for one that refuses."""
AWAY_S = 5
"""After failed requests a replica is tried again that much later."""
START_TIMEOUT_S = 900
"""How long the router waits for a first replica: as long as a start of an engine may take."""


def router_command(
    replicas: Sequence[str], *, host: str, port: int, metrics_port: int
) -> tuple[str, ...]:
    """Return the command that starts a router.

    Args:
        replicas: their addresses; a `/v1` at the end is left out.
        host: the address that it listens on.
        port: where it listens; Jay's ENGINE_URL is then `http://<host>:<port>/v1`.
        metrics_port: where it tells Prometheus about itself, on the loopback address.
    """
    roots = [one.rstrip("/").removesuffix("/v1") for one in replicas]
    settings = {
        "--host": host,
        "--port": port,
        "--policy": "consistent_hash",
        "--health-check-interval-secs": HEALTH_EVERY_S,
        "--health-check-timeout-secs": HEALTH_TIMEOUT_S,
        "--health-failure-threshold": MISSES,
        "--health-success-threshold": 1,
        "--cb-failure-threshold": MISSES,
        "--cb-success-threshold": 1,
        "--cb-timeout-duration-secs": AWAY_S,
        "--cb-window-duration-secs": 2 * AWAY_S,
        "--worker-startup-timeout-secs": START_TIMEOUT_S,
        "--worker-startup-check-interval": 1,
        "--prometheus-port": metrics_port,
        # What it logs below that is one line a request; `warning` is taken for `info`.
        "--log-level": "error",
    }
    options = [str(part) for pair in settings.items() for part in pair]
    return (COMMAND, *options, "--worker-urls", *roots)
