"""What a benchmark tells: the same figures as `jay evaluate` writes."""

from bot.figures import Figure, merge, show

__all__ = ["Figure", "merge", "show"]
