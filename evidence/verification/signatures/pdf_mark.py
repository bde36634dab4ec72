"""Whether a file is a PDF, and one with a signature: a look that costs little to files of other kinds."""

import re
import zlib

from ..exhibit import Source

FILE_BYTES_MAX = 64 << 20
"""A certificate has under 5 MB, a notarial deed with pictures up to 40."""
HEAD = 1024
"""The header stands within the first kilobyte (ISO 32000-2 annex I.2.2)."""
MARKS = (b"/ByteRange", b"/SubFilter")
"""What only stands in the dictionary of a signature (or of an encryption): its range around the gap, or, when that was taken out, its form."""
PACKED_MAX, PACKED_BYTES_MAX = 1_000, 1 << 20
"""Object streams looked into, and bytes of each, packed and inflated. A signature in there is none that covers itself, but one that a
reader lists."""
DICTIONARY_BYTES = 400

_BEGIN = re.compile(rb"stream\r?\n")


def is_pdf(source: Source) -> bool:
    return b"%PDF-" in source.head(HEAD)


def is_signed(source: Source) -> bool:
    """Whether the dictionary of a signature is written somewhere in the file, whole or damaged, bare or packed."""
    end = b""
    longest = max(map(len, MARKS))
    with source.open() as stream:
        while block := stream.read(1 << 20):
            if any(mark in block or mark in end + block[:longest] for mark in MARKS):
                return True
            end = block[-longest:]
    return source.size <= FILE_BYTES_MAX and _is_packed(source.read(FILE_BYTES_MAX) or b"")


def _is_packed(data: bytes) -> bool:
    place = -1
    for _ in range(PACKED_MAX):
        place = data.find(b"/ObjStm", place + 1)
        if place < 0:
            return False
        begin = _BEGIN.search(data, place, place + DICTIONARY_BYTES)
        if begin is None:
            continue
        end = data.find(b"endstream", begin.end(), begin.end() + PACKED_BYTES_MAX)
        packed = data[begin.end() : end if end >= 0 else begin.end() + PACKED_BYTES_MAX]
        try:
            inside = zlib.decompressobj().decompress(packed, PACKED_BYTES_MAX)
        except zlib.error:
            continue
        if any(mark in inside for mark in MARKS):
            return True
    return False
