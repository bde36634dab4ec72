"""What a parser taken over by a hostile file might say of its progress. Run inside the jail, as the zygote's entry, by test_telling."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from evidence.runs import telling


def _say(data: bytes) -> None:
    if telling.descriptor is not None:
        os.write(telling.descriptor, data)


def flood() -> None:
    """More than anybody reads, as fast as it goes."""
    until = time.monotonic() + 2
    said = telling.MESSAGE.pack(1, 0, 0) * 400
    while time.monotonic() < until:
        try:
            _say(said)
        except OSError:
            time.sleep(0.001)


def another_file() -> None:
    _say(telling.MESSAGE.pack(1, 7, 0))


def beyond_the_end() -> None:
    _say(telling.MESSAGE.pack(1, 0, 1 << 60))


def no_such_step() -> None:
    _say(telling.MESSAGE.pack(200, 0, 0))


def half_a_message() -> None:
    _say(telling.MESSAGE.pack(1, 0, 1)[:-3])


def once() -> None:
    _say(telling.MESSAGE.pack(3, 0, 2))


ACTS: dict[str, Callable[[], None]] = {a.__name__: a for a in (flood, another_file, beyond_the_end, no_such_step, half_a_message, once)}


def attempt(files: Sequence[tuple[str, int]], _trust_dir: str, _at: str) -> bytes:
    ACTS[os.pread(files[0][1], 100, 0).decode()]()
    return b"{}"
