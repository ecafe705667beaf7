"""The platforms: Slack, Discord, and a sandbox that stands in for both.

Each platform's package turns its events into the words of `bot.messages` and
draws replies there. They never import one another, nor the steps of `bot`.
"""
