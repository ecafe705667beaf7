"""The sandbox's page: both platforms side by side in a browser, as any seeded person.

It is the face of the demo and of the sandbox by hand. It keeps nothing of its own: what
it shows is the worlds', and what a person does there goes through the platforms' sides.

    shapes.py    the worlds as JSON for the page
    feed.py      one WebSocket a page: a snapshot, then everything that happens
    deeds.py     what a person does there: write, edit, react, command, stop
    mishaps.py   what the person lets go wrong
    guarding.py  who may call: this page from this machine, nobody else's
    side.py      `PageSide`, all of it as routes
    static/      the page itself: plain HTML, CSS and ES modules, nothing from outside
"""

from adapters.sandbox.page.side import PageSide

__all__ = ["PageSide"]
