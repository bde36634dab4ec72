"""Random access to bytes, whatever holds them: a file, a part of one, or something that must be inflated to be read.

Readers of containers ask for `read(offset, count)`; nothing is mapped and nothing is held whole, so that the memory limit
of the jail (which counts mapped files) holds for a file of any size.
"""

from collections.abc import Callable, Iterator
from typing import Protocol


class Octets(Protocol):
    size: int
    random_access: bool
    """Reading backwards costs nothing."""

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`; fewer only at the end."""
        ...


class FileOctets:
    """A file read by `pread(offset, count)`. Short reads near each other are served from one block in memory, a large one
    while they go forward, a small one after a jump."""

    random_access = True
    _BLOCK, _AFTER_JUMP = 1 << 20, 64 << 10

    def __init__(self, pread: Callable[[int, int], bytes], size: int) -> None:
        self._pread, self.size = pread, size
        self._block, self._base = b"", 0

    def read(self, offset: int, count: int) -> bytes:
        if count > self._BLOCK // 2:
            return self._pread(offset, count)
        start = offset - self._base
        if not 0 <= start <= start + count <= len(self._block):
            forward = 0 <= start <= len(self._block)
            block = self._BLOCK if forward else max(count, self._AFTER_JUMP)
            self._block, self._base, start = self._pread(offset, block), offset, 0
        return self._block[start : start + count]


class BytesOctets:
    """Bytes in memory."""

    random_access = True

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def read(self, offset: int, count: int) -> bytes:
        return self._data[offset : offset + count]


class Part:
    """`size` bytes of `whole` from `start`."""

    def __init__(self, whole: Octets, start: int, size: int) -> None:
        self._whole, self._start, self.size = whole, start, size
        self.random_access = whole.random_access

    def read(self, offset: int, count: int) -> bytes:
        return self._whole.read(self._start + offset, max(0, min(count, self.size - offset)))


class ForwardOctets:
    """Bytes that can only be made from the beginning, for example a deflated member.

    `pieces()` starts over. Reading backwards beyond the piece at hand starts over too, and whoever makes the pieces pays
    for that from its budget.
    """

    random_access = False

    def __init__(self, size: int, pieces: Callable[[], Iterator[bytes]]) -> None:
        self.size, self._pieces = size, pieces
        self._iterator = pieces()
        self._window, self._base = b"", 0

    def read(self, offset: int, count: int) -> bytes:
        count = max(0, min(count, self.size - offset))
        if offset < self._base:
            self._iterator = self._pieces()
            self._window, self._base = b"", 0
        parts: list[bytes] = []
        while count:
            start = offset - self._base
            if start < len(self._window):
                part = self._window[start : start + count]
                parts.append(part)
                offset += len(part)
                count -= len(part)
                continue
            piece = next(self._iterator, None)
            if piece is None:
                break
            self._base += len(self._window)
            self._window = piece
        return b"".join(parts)


def blocks(octets: Octets, *, start: int = 0, end: int | None = None, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes from `start` to `end` (default: the end) in blocks of `size`."""
    end = octets.size if end is None else end
    while start < end:
        block = octets.read(start, min(size, end - start))
        if not block:
            return
        yield block
        start += len(block)
