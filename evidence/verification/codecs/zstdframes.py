"""Zstandard files frame by frame (RFC 8878; iipc warc-zstd 1.0, proposed): the other compression of web archives.

A file may begin with a skippable frame that holds the dictionary of all others, raw or itself compressed. Frames that need a
dictionary which is not there cannot be read: missing data, not a contradiction. Window and dictionary are bounded as the
format bounds them for every reader.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..reasons import Reason
from . import inflate
from .octets import BytesOctets, Octets

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"
"""A skippable frame of this number, at the beginning of the file, holds the dictionary."""
WINDOW_MAX = 8 << 20
"""Bytes a decoder must keep (ZSTD_WINDOW_MAX); what warc-zstd asks every reader to support."""
DICTIONARY_MAX = 8 << 20
"""Bytes of a dictionary (ZSTD_DICT_MAX), likewise."""
BLOCKS_MAX = 10_000
"""Blocks of a frame that is passed over unread: over a gigabyte when they are full."""
_WINDOW_LOG = 23
_RAW_DICTIONARY = b"\x37\xa4\x30\xec"
_SKIPPABLE = b"\x2a\x4d\x18"
_HEADER_MAX = 18


class Header(NamedTuple):
    """What a frame says of itself in `length` bytes. `window`: bytes its decoder must keep; `dictionary`: 0 when it needs none."""

    length: int
    window: int
    content: int | None
    dictionary: int
    checked: bool


def header(octets: Octets, at: int) -> Header | None:
    """The header of the frame at `at` (RFC 8878 §3.1.1.1), None when there is no complete and valid one."""
    head = octets.read(at, _HEADER_MAX)
    if len(head) < 5 or not head.startswith(MAGIC) or head[4] & 0x08:
        return None
    descriptor, position = head[4], 5
    single = bool(descriptor & 0x20)
    window = 0
    if not single:
        base = 1 << (10 + (head[position] >> 3)) if position < len(head) else 0
        window = base + (base >> 3) * (head[position] & 7) if base else 0
        position += 1
    identity = (0, 1, 2, 4)[descriptor & 3]
    size = (int(single), 2, 4, 8)[descriptor >> 6]
    if position + identity + size > len(head):
        return None
    dictionary = int.from_bytes(head[position : position + identity], "little")
    content = None
    if size:
        start = position + identity
        content = int.from_bytes(head[start : start + size], "little") + (256 if size == 2 else 0)
    window = content or 0 if single else window
    return Header(position + identity + size, window, content, dictionary, bool(descriptor & 4))


def skippable(octets: Octets, at: int) -> int | None:
    """Bytes of the skippable frame at `at` with its head, None when there is none. It may claim more than the file holds."""
    head = octets.read(at, 8)
    if len(head) < 8 or head[1:4] != _SKIPPABLE or head[0] & 0xF0 != 0x50:
        return None
    return 8 + int.from_bytes(head[4:8], "little")


@dataclass(slots=True)
class Frame:
    """One frame from `start` while it is read; the fields are those of a gzip member. `fault`: TRUNCATED, FORMAT_FAILURE (it is
    damaged, or its check sum is wrong), or NOT_CONTAINED (its dictionary is not in the file)."""

    octets: Octets
    start: int
    budget: inflate.Budget
    dictionary: zstd.ZstdDict | None = None
    end: int = 0
    size: int = 0
    ended: bool = False
    fault: Reason | None = None

    def pieces(self) -> Iterator[bytes]:
        """Raises LimitReached."""
        about = header(self.octets, self.start)
        self.end = self.start
        if about is None:
            self.fault = Reason.TRUNCATED
            return
        if about.window > WINDOW_MAX:
            raise inflate.LimitReached("ZSTD_WINDOW_MAX")
        if about.dictionary and (self.dictionary is None or self.dictionary.dict_id != about.dictionary):
            self.fault = Reason.NOT_CONTAINED
            behind = _behind(self.octets, self.start, about)
            self.end, self.ended = (self.start + about.length, False) if behind is None else (behind, True)
            return
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        decoder = zstd.ZstdDecompressor(self.dictionary if about.dictionary else None, options)
        position, size = self.start, inflate.FIRST_SLICE
        while not decoder.eof:
            data = b""
            if decoder.needs_input:
                data = self.octets.read(position, size)
                position, size = position + len(data), inflate.SLICE
                if not data:
                    self.end, self.fault = position, Reason.TRUNCATED
                    return
            try:
                piece = decoder.decompress(data, inflate.PIECE)
            except zstd.ZstdError:
                self.end, self.fault = position, Reason.FORMAT_FAILURE
                return
            if piece:
                self._charge(len(piece), position)
                yield piece
        self.end = position - len(decoder.unused_data)
        self.ended = True

    def _charge(self, count: int, position: int) -> None:
        self.size += count
        if inflate.oversized(self.size, position - self.start):
            raise inflate.LimitReached("MEMBER_MAX")
        if self.size > inflate.RATIO_FLOOR and self.size > inflate.RATIO_MAX * (position - self.start):
            raise inflate.LimitReached("RATIO_MAX")
        self.budget.charge(count)


def _behind(octets: Octets, start: int, about: Header) -> int | None:
    """Where the frame at `start` ends, by the sizes of its blocks (RFC 8878 §3.1.1.2); None when that cannot be told."""
    position = start + about.length
    for _ in range(BLOCKS_MAX):
        head = int.from_bytes(octets.read(position, 3), "little")
        kind, size = head >> 1 & 3, head >> 3
        position += 3 + (1 if kind == 1 else size)
        if kind == 3 or position > octets.size:
            return None
        if head & 1:
            position += 4 if about.checked else 0
            return position if position <= octets.size else None
    return None


def dictionary(octets: Octets) -> zstd.ZstdDict | None:
    """The dictionary at the beginning of a file, None when there is none that can be read. Raises LimitReached."""
    size = skippable(octets, 0)
    if size is None or not octets.read(0, 4) == DICTIONARY_MAGIC:
        return None
    if size - 8 > DICTIONARY_MAX:
        raise inflate.LimitReached("ZSTD_DICT_MAX")
    content = octets.read(8, size - 8)
    if content.startswith(MAGIC):
        content = _unpacked(content)
    if len(content) < 8 or not content.startswith(_RAW_DICTIONARY):
        return None
    try:
        words = zstd.ZstdDict(content)
        zstd.ZstdDecompressor(words)  # reads its tables
    except (zstd.ZstdError, ValueError):
        return None
    return words


def _unpacked(content: bytes) -> bytes:
    """A dictionary that is itself one frame without a dictionary, up to the bound; b"" when it is anything else."""
    frame = Frame(BytesOctets(content), 0, inflate.Budget(DICTIONARY_MAX + inflate.PIECE))
    made = b""
    for piece in frame.pieces():
        made += piece
        if len(made) > DICTIONARY_MAX:
            raise inflate.LimitReached("ZSTD_DICT_MAX")
    return made if frame.ended and frame.end == len(content) else b""


def beginning(octets: Octets, at: int, count: int) -> bytes:
    """The first `count` bytes to which the frame at `at` (behind the dictionary, at 0) decodes. A cheap look, nothing is
    checked."""
    try:
        words = dictionary(octets)
        if at == 0 and words is not None:
            at = skippable(octets, 0) or 0
        for piece in Frame(octets, at, inflate.Budget(), words).pieces():
            return piece[:count]
    except inflate.LimitReached:
        pass
    return b""
