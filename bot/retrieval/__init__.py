"""Finding the messages that bear on a question."""

from bot.retrieval.ranking import Ranked, rank

__all__ = ["Ranked", "rank"]
