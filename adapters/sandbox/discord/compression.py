"""How a gateway connection squeezes what it sends: not at all, zlib-stream or zstd-stream.

Transport compression is one stream for the whole connection, flushed after each payload,
so that a client can read every payload as it comes. discord.py asks for zstd where its
Python has it, so the sandbox finds it in the same places.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

Squeeze = Callable[[str], bytes]
"""Turns one payload into the next bytes of the stream."""


def squeeze(wanted: str | None) -> Squeeze | None:
    """Return the stream for what a client asked for, None to send plain text.

    Raises:
        ValueError: For a compression that there is not.
    """
    if not wanted:
        return None
    if wanted == "zlib-stream":
        return _zlib()
    if wanted == "zstd-stream":
        return _zstd()
    raise ValueError(wanted)


def _zlib() -> Squeeze:
    stream = zlib.compressobj()

    def one(text: str) -> bytes:
        return stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)

    return one


def _zstd() -> Squeeze:
    if find_spec("zstandard"):
        library = import_module("zstandard")
        stream = library.ZstdCompressor().compressobj()

        def one(text: str) -> bytes:
            begun = stream.compress(text.encode())
            return bytes(begun + stream.flush(library.COMPRESSOBJ_FLUSH_BLOCK))

        return one
    if find_spec("compression"):
        stream = import_module("compression.zstd").ZstdCompressor()
        return lambda text: bytes(stream.compress(text.encode(), mode=stream.FLUSH_BLOCK))
    raise ValueError("zstd-stream")
