"""Slack: listens to a workspace and writes to it. Only here is slack-bolt known.

    edge          hears events, hands them on, acks what is stored
    sockets       Socket Mode, kept alive
    webhooks      signed HTTP
    normalise     Slack's events → the records of bot.messages (pure); markup: their text
    turns         a message's events in their order
    surface       posts, edits, streams, whispers, links, history
    posting       never the same post twice
    streams       native streams
    response_urls commands where Jay is not a member
    status        the line that says that Jay is at work
    history       reading back
    render        Markdown → Slack's own
    limits        what Slack allows
    errors        Slack's errors → bot.errors
    install       whose token this is
    people        display names
    manifest      what a new app needs
    checks        what `jay doctor` asks

Nothing of `bot`'s steps may enter.
"""

from adapters.slack.edge import SlackEdge
from adapters.slack.surface import SlackSurface

__all__ = ["SlackEdge", "SlackSurface"]
