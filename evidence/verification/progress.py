"""How far the reading of a large file has come, for whoever waits for it.

    with progress.heard(listener): verify(…)

Nothing listens unless somebody asks, and nothing that is told can change a verdict. What is told is where a file was last read
and why; readers that go through a file from its beginning to its end say so with `step`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum


class Step(IntEnum):
    """Why a file is read from one end to the other. A number, because it passes through the wall of the jail."""

    DIGESTS = 1
    """For its own digests."""
    CONTAINER = 2
    """Member by member of the archive that it is."""
    RECORDS = 3
    """Record by record of the web archive that it is, or holds."""


Listener = Callable[[Step, object, int], None]
"""Called with the step, the source that is read, and the offset up to which it was read."""


@dataclass(slots=True)
class _Heard:
    listener: Listener
    step: Step | None = None


_heard: ContextVar[_Heard | None] = ContextVar("progress", default=None)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Within, `listener` is told what is read."""
    before = _heard.set(_Heard(listener))
    try:
        yield
    finally:
        _heard.reset(before)


@contextmanager
def step(why: Step) -> Iterator[None]:
    """Within, files are read from beginning to end for this reason."""
    told = _heard.get()
    if told is None:
        yield
        return
    before, told.step = told.step, why
    try:
        yield
    finally:
        told.step = before


def reached(source: object, offset: int) -> None:
    """`source` was read up to `offset`."""
    told = _heard.get()
    if told is not None and told.step is not None:
        told.listener(told.step, source, offset)
