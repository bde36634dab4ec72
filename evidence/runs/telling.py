"""The one thing a child says while it works: which step, which file, how many bytes of it. A narrow way out of the jail.

A message has ten bytes and goes into a pipe that nobody waits for: when it is full the message is lost. Whatever arrives is a
child's word and untrusted: the parent reads little, checks every number, and shows it to the person who waits; it decides nothing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

MESSAGE = struct.Struct("<BBQ")  # step, number of the file, offset up to which it was read
EVERY = 4 << 20  # bytes between two messages of one step and file: a second of work or less
BYTES_MAX = 1 << 16  # what a parent reads of one run: 6,500 messages, 26 GB in steps of EVERY
STEPS = {1: "digests", 2: "container", 3: "records"}  # as `evidence.verification.progress.Step`; the jail is no part of the engine

descriptor: int | None = None  # the writing end, in a child whose requester wants to know


@dataclass(frozen=True)
class Told:
    """What a child claims. `file` is the number of the file in the request."""

    step: str
    file: int
    offset: int


class Teller:
    """The child's side: says a step, a file and an offset now and then, and never waits."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], int] = {}

    def tell(self, step: int, file: int, offset: int) -> None:
        """At the beginning of a step, and every EVERY bytes."""
        if descriptor is None:
            return
        last = self._last.get((step, file))
        if last is not None and offset < last + EVERY:
            return
        self._last[step, file] = offset
        try:
            os.write(descriptor, MESSAGE.pack(step, file, offset))
        except OSError:  # full, or nobody listens any more
            return


class Listener:
    """The parent's side: bytes as they come -> the newest claim that can be true, given the sizes of the files."""

    def __init__(self, sizes: list[int], heard: Callable[[Told], None]) -> None:
        self._sizes, self._heard = sizes, heard
        self._rest, self._taken = b"", 0

    def take(self, data: bytes) -> bool:
        """False: nothing more is listened to, because what came cannot be true or is too much."""
        self._taken += len(data)
        if not data or self._taken > BYTES_MAX:
            return False
        data = self._rest + data
        whole = len(data) - len(data) % MESSAGE.size
        self._rest = data[whole:]
        told = None
        for step, file, offset in MESSAGE.iter_unpack(data[:whole]):
            if step not in STEPS or file >= len(self._sizes) or offset > self._sizes[file]:
                return False
            told = Told(STEPS[step], file, offset)
        if told is not None:
            self._heard(told)
        return True
