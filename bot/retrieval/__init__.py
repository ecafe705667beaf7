"""Finding the messages that bear on a question.

`terms` and `embedding` say what a text holds and what it means, `index` keeps
one channel's messages by both, `ranking` searches some channels as one. No
I/O but the reading of the embedder's weights: `bot/library` brings the messages.
"""

from bot.retrieval.embedding import Embedder, find_model
from bot.retrieval.index import ChannelIndex, searched_text
from bot.retrieval.ranking import Hit, is_question, search

__all__ = [
    "ChannelIndex",
    "Embedder",
    "Hit",
    "find_model",
    "is_question",
    "search",
    "searched_text",
]
