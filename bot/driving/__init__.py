"""Doing what a skill yields: a `Driver` sends back what came of each step.

driver      the loop over a skill's steps; asks the model, shows what it says
batching    many tasks side by side, kept as notes, stopped in between
reading     a range whole: the log, put right by the platform's history
recalling   how a reply of before came about
digesting   a person's digests: listed, kept, dropped
tracing     how the reply at hand came about, noted on the way
"""

from bot.driving.driver import ENGINE_RETRY_S, ENGINE_WAIT_S, Driver, OpenSpeech

__all__ = ["ENGINE_RETRY_S", "ENGINE_WAIT_S", "Driver", "OpenSpeech"]
