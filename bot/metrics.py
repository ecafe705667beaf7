"""What Jay counts. Served at `/metrics`; the names are listed in docs/operations.md."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)

MESSAGES = Counter("jay_messages", "Messages and commands taken in", ["platform", "meant_for"])
REPLIES = Counter("jay_replies", "Replies settled", ["platform", "skill", "finish"])
FIRST_WORD = Histogram(
    "jay_first_word_seconds", "From claiming a message to its first word", buckets=SECONDS
)
WHOLE_REPLY = Histogram(
    "jay_reply_seconds", "From claiming a message to its settled reply", buckets=SECONDS
)
PARKED = Counter(
    "jay_parked", "Messages put aside because every try to answer failed", ["platform"]
)
CAUGHT_UP = Counter(
    "jay_caught_up", "What a gap had hidden and was found afterwards", ["platform", "what"]
)
ENGINE_WAITING = Gauge("jay_engine_waiting", "Requests that wait for a place in the engine")
ENGINE_REFUSED = Counter(
    "jay_engine_refused", "Requests that found no room in that queue, or waited too long"
)
RUNNING = Gauge("jay_conversations_running", "Conversations being answered now")
LOOP_LAG = Gauge("jay_loop_lag_seconds", "How late the event loop woke a sleeper, worst of 10 s")
LOOP_LATE = Histogram(
    "jay_loop_late_seconds",
    "How late the event loop woke a sleeper, each tenth of a second",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5),
)
EDGE_READY = Gauge("jay_edge_ready", "1 while a platform is connected", ["platform"])
