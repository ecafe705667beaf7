"""A stand-in Slack workspace and Discord server, spoken to over real sockets.

For development, tests and the demo: the platforms' own client libraries connect
to it as they do to the real thing, and it answers with real shapes, limits and
error bodies. It is written from the platforms' public documentation and knows
nothing of the rest of the program, so that one end checks the other: limits and
shapes that the adapters hold are written here a second time, on purpose.

    world.py, records.py, ids.py   one truth under both platforms
    seed.py (+ seeds/)             who is there and what they said
    faults.py                      what a test or the page lets go wrong
    slack/  discord/  page/        the three faces of it
    server.py                      `Sandbox`, all of it behind one port
"""
