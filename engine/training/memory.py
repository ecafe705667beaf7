"""Out of memory, told in the words of a recipe: which number to lower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from bot.errors import JayError

NO_MEMORY = ("allocate memory", "could not create a primitive")
"""How torch's allocator and oneDNN say that there is none left."""


class OutOfMemory(JayError):
    """The machine has not the memory for it."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint  # type: ignore[misc]  # what helps depends on what was tried


@contextmanager
def within(told: Callable[[], OutOfMemory]) -> Iterator[None]:
    """Run what may be too much for the memory.

    Args:
        told: what to raise if it is.

    Raises:
        OutOfMemory: it is.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise told() from error
    except RuntimeError as error:
        if not any(sign in str(error) for sign in NO_MEMORY):
            raise
        raise told() from error
