"""Markdown: what a model writes, as a platform's own text in parts within its limit.

Both platforms' `render` build on it, each with a `Dialect` of its own. Parsed
by markdown-it-py, never by patterns. Pure: no clock, no network, no platform.

    dialect    what differs between platforms
    blocks     Markdown → blocks of words
    clusters   where a word may be cut at all
    packing    blocks → parts
"""

from adapters.markdown.dialect import Dialect, Mark, Style
from adapters.markdown.packing import render

__all__ = ["Dialect", "Mark", "Style", "render"]
