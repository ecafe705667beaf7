"""Several processes that train one model, as `torchrun` starts them.

Each takes its share of a step's rows, and the gradients are added up, so that
the curve is that of one process. One process alone needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Which of how many processes this one is, and where it computes."""

    rank: int = 0
    count: int = 1
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes and tells."""
        return self.rank == 0

    def add_up(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace each tensor by its sum over all processes."""
        if self.count > 1:
            for tensor in tensors:
                distributed.all_reduce(tensor)

    def meet(self) -> None:
        """Go on when every process has come this far."""
        self.any(False)

    def any(self, mine: bool) -> bool:
        """Tell whether it is so in any process; all must ask."""
        told = torch.tensor(float(mine), device=self.device)
        self.add_up([told])
        return bool(told)


def is_first() -> bool:
    """Tell whether this process writes and tells, of those that `torchrun` started."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that `torchrun` started with this one, if it did."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    gpu = torch.cuda.is_available()
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if gpu else "cpu")
    if count == 1:
        yield Ranks(device=device)
        return
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Ranks(rank=distributed.get_rank(), count=count, device=device)
    finally:
        distributed.destroy_process_group()
