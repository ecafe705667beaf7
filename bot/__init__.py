"""Jay itself: what happens between a message that came and a reply that is shown.

The platforms live in `adapters`, the model's server in `engine`; this package
knows both only through `bot.ports`. Read `intake`, `worker` and `replying` in
this order to follow a message.
"""
