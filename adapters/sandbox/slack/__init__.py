"""The Slack workspace of the sandbox: Web API, Socket Mode, signed HTTP events.

    side.py            `SlackSide`, which joins the rest and does what people do
    workspace.py       what all share: the world, the installed app, how to refuse
    web_api.py         the calls: posting.py, streaming.py, reading.py; checking.py, limits.py
    events.py          what the app is told; delivery.py by sockets.py or webhooks.py
    shapes.py          objects as Slack shows them; markup.py its text
    response_urls.py   later answers to commands and buttons

Written from docs.slack.dev; nothing here knows the adapter that it is used with.
"""

from adapters.sandbox.slack.delivery import Pace
from adapters.sandbox.slack.side import SlackSide

__all__ = ["Pace", "SlackSide"]
