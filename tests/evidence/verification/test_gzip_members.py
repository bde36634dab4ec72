"""Gzip members and the inflater below them: what gzip writes is read whole, damage is said, bombs stop, engines agree."""

import gzip
import io
import random
import struct
import subprocess
import sys
import zlib
from types import ModuleType

import pytest

from evidence.verification.codecs import gzipmembers, inflate
from evidence.verification.codecs.octets import BytesOctets, ForwardOctets, Part, blocks
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall

from .snapshot_exhibits import verified

TEXT = b"A line of a web page, and another one. " * 60


def read(data: bytes, at: int = 0, *, budget: inflate.Budget | None = None) -> tuple[bytes, gzipmembers.Member]:
    member = gzipmembers.Member(BytesOctets(data), at, budget or inflate.Budget())
    return b"".join(member.pieces()), member


def packed(data: bytes = TEXT, *, flags: int = 0, extra: bytes = b"", strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """A member with optional header fields, built by hand."""
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(4) + b"\x00\x03" + extra
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15, 8, strategy)
    return head + deflater.compress(data) + deflater.flush() + struct.pack("<LL", zlib.crc32(data), len(data))


def test_what_gzip_writes_is_read() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("page.html", "wb", fileobj=out, mtime=1) as stream:
        stream.write(TEXT)
    for data in (gzip.compress(TEXT), out.getvalue(), gzip.compress(b"")):
        content, member = read(data)
        assert content == gzip.decompress(data)
        assert (member.fault, member.ended, member.end) == (None, True, len(data))


@pytest.mark.parametrize(
    ("flags", "extra"),
    [(4, b"\x06\0slab12"), (8, b"name\0"), (16, b"comment\0"), (2, b""), (30, b"\x02\0ab" + b"n\0" + b"c\0")],
    ids=["extra", "name", "comment", "header CRC", "all"],
)
def test_optional_header_fields_are_read(flags: int, extra: bytes) -> None:
    content, member = read(packed(flags=flags, extra=extra))
    assert (content, member.fault) == (TEXT, None)


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b\x07" + bytes(20),
        packed(flags=0x20),
        packed(flags=0x80),
        packed(flags=2)[:10] + b"\0\0" + packed(flags=2)[12:],
        packed(flags=8, extra=b"endless"),
        b"\x1f\x8b\x08",
        b"",
    ],
    ids=["method", "reserved bit 5", "reserved bit 7", "header CRC wrong", "name without end", "cut", "nothing"],
)
def test_what_is_no_header_is_no_member(data: bytes) -> None:
    size = gzipmembers.header_size(BytesOctets(data), 0)
    if data.startswith(b"\x1f\x8b\x08\x08"):
        # A name that runs on into the data ends at some zero byte there; the deflate stream behind it does not hold.
        assert read(data)[1].fault is Reason.GZIP_CHECK_FAILURE or size is None
    else:
        assert size is None


def test_every_truncation_is_said() -> None:
    whole = gzip.compress(TEXT, mtime=0)
    for length in range(10, len(whole)):
        content, member = read(whole[:length])
        assert member.fault is Reason.TRUNCATED and not member.ended, length
        assert TEXT.startswith(content)


def test_no_single_bit_of_data_or_trailer_passes() -> None:
    whole = gzip.compress(TEXT, mtime=0)
    for bit in range(80, 8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        content, member = read(bytes(changed))
        assert member.fault is not None or content == TEXT
        if bit >= 8 * (len(whole) - 8):
            assert member.fault is Reason.GZIP_CHECK_FAILURE and member.ended


def test_members_follow_each_other() -> None:
    first, second = gzip.compress(TEXT), gzip.compress(b"second")
    content, member = read(first + second)
    assert content == TEXT and member.end == len(first)
    assert read(first + second, member.end)[0] == b"second"


def test_how_a_file_begins() -> None:
    data = gzip.compress(b"") * 3 + gzip.compress(b"WARC/1.1 and so on")
    assert gzipmembers.beginning(BytesOctets(data), 0, 5) == b"WARC/"
    assert gzipmembers.beginning(BytesOctets(b"plain"), 0, 5) == b""
    assert gzipmembers.beginning(BytesOctets(gzip.compress(TEXT)[:40]), 0, 5) == TEXT[:5]
    assert gzipmembers.beginning(BytesOctets(gzip.compress(b"") * 100 + gzip.compress(b"x")), 0, 1) == b""


def test_padding_of_zeros() -> None:
    assert gzipmembers.only_zeros(BytesOctets(b"ab" + bytes(3000)), 2)
    assert not gzipmembers.only_zeros(BytesOctets(b"ab" + bytes(3000) + b"\1"), 2)


# ── bombs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bomb_stops_at_the_floor() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    made: list[int] = []
    member = gzipmembers.Member(BytesOctets(bomb), 0, inflate.Budget())
    with pytest.raises(inflate.LimitReached, match="RATIO_MAX"):
        made.extend(map(len, member.pieces()))
    assert max(made) <= inflate.PIECE and sum(made) <= inflate.RATIO_FLOOR


def test_repetitive_but_small_content_passes() -> None:
    content, member = read(gzip.compress(bytes(15 << 20)))
    assert member.fault is None and content == bytes(15 << 20)


def test_the_largest_member_and_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "MEMBER_MAX", 2999)
    with pytest.raises(inflate.LimitReached, match="MEMBER_MAX"):
        read(gzip.compress(bytes(3000)))
    data = gzip.compress(random.Random(1).randbytes(3000))
    assert read(data)[1].fault is None  # bounded by the file that holds it
    monkeypatch.undo()
    with pytest.raises(inflate.LimitReached, match="INFLATED_TOTAL_MAX"):
        read(data, budget=inflate.Budget(2999))
    assert read(data, budget=inflate.Budget(3000))[1].fault is None


BOMB = """
import gzip, resource, sys
from evidence.verification.codecs import gzipmembers, inflate
from evidence.verification.codecs.octets import BytesOctets
data = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
inflate.RATIO_FLOOR = inflate.MEMBER_MAX  # so that only the size stops it
try:
    for _ in gzipmembers.Member(BytesOctets(data), 0, inflate.Budget()).pieces():
        pass
except inflate.LimitReached as limit:
    print(limit.limit)
"""


def test_memory_stays_bounded_whatever_comes_out(tmp_path: object) -> None:
    """300 MiB come out of 0.3 MB, in an address space of 256 MiB and five seconds of processor."""
    path = f"{tmp_path}/bomb.gz"
    with open(path, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb") as stream:
        for _ in range(300):
            stream.write(bytes(1 << 20))
    done = subprocess.run([sys.executable, "-c", BOMB, path], capture_output=True, text=True)
    assert done.stdout.strip() == "MEMBER_MAX", done.stderr


# ── one result on every machine ───────────────────────────────────────────────────────────────────────────────────────


def outcome(data: bytes, engine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    monkeypatch.setattr(inflate, "_engine", engine)
    stream = inflate.Stream(BytesOctets(data), 0, len(data), inflate.Budget())
    try:
        content = b"".join(stream.pieces())
    except inflate.LimitReached as limit:
        return (limit.limit,)
    return stream.ending, content, stream.crc, stream.consumed if stream.ending is inflate.Ending.COMPLETE else None


def test_both_engines_read_damaged_streams_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The faster engine and zlib: same end, same bytes salvaged, for thousands of damaged streams."""
    zlib_ng = pytest.importorskip("zlib_ng.zlib_ng", reason="NOT RUN: zlib-ng is not installed")
    chance = random.Random(20261122)
    noise = chance.randbytes(70_000)
    samples = [packed(d, strategy=s)[10:-8] for d in (TEXT, noise, TEXT * 30) for s in (0, 2, 3, 4)]
    for _ in range(1500):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(0, 3)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        cut = bytes(data[: chance.randint(len(data) // 2, len(data))])
        assert outcome(cut, zlib_ng, monkeypatch) == outcome(cut, zlib, monkeypatch)


class Bits:
    """Bits as RFC 1951 packs them."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def number(self, value: int, count: int) -> None:
        self.bits += [value >> i & 1 for i in range(count)]

    def code(self, value: int, count: int) -> None:
        self.bits += [value >> i & 1 for i in reversed(range(count))]

    def octets(self) -> bytes:
        self.bits += [0] * (-len(self.bits) % 8)
        return bytes(sum(self.bits[i + j] << j for j in range(8)) for i in range(0, len(self.bits), 8))


def dynamic_block(lengths: dict[int, int], symbols: list[int]) -> bytes:
    """One dynamic block with these literal code lengths (canonical codes) and one unused distance code."""
    out = Bits()
    out.number(1, 1)
    out.number(2, 2)
    out.number(0, 5)
    out.number(0, 5)
    out.number(15, 4)
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for symbol in order:
        out.number(4 if symbol < 16 else 0, 3)
    for symbol in range(257):
        out.code(lengths.get(symbol, 0), 4)
    out.code(0, 4)
    codes, code = {}, 0
    for length in range(1, 16):
        code <<= 1
        for symbol in sorted(s for s, n in lengths.items() if n == length):
            codes[symbol] = (code, length)
            code += 1
    for symbol in symbols:
        out.code(*codes[symbol])
    return out.octets()


def test_code_sets_that_zlib_refuses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Incomplete Huffman code sets: some fast inflaters take them, so that a verdict would depend on what is installed."""
    complete = dynamic_block({65: 1, 256: 1}, [65, 65, 256])
    incomplete = dynamic_block({65: 2, 256: 2}, [65, 65, 256])
    for data, wanted in ((complete, inflate.Ending.COMPLETE), (incomplete, inflate.Ending.DAMAGED)):
        stream = inflate.Stream(BytesOctets(data), 0, len(data), inflate.Budget())
        content = b"".join(stream.pieces())
        assert stream.ending is wanted
        assert content == (b"AA" if wanted is inflate.Ending.COMPLETE else b"")


# ── octets ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bytes_that_can_only_be_made_from_the_beginning() -> None:
    data = random.Random(2).randbytes(5000)
    starts = 0

    def pieces() -> object:
        nonlocal starts
        starts += 1
        return iter([data[i : i + 700] for i in range(0, len(data), 700)])

    forward = ForwardOctets(len(data), pieces)  # type: ignore[arg-type]
    for offset, count in ((0, 10), (650, 200), (4990, 100), (5000, 5), (100, 3000), (0, 5000)):
        assert forward.read(offset, count) == data[offset : offset + count]
    assert starts == 3
    part = Part(BytesOctets(data), 1000, 500)
    assert b"".join(blocks(part, size=64)) == data[1000:1500] and part.read(490, 100) == data[1490:1500]


@pytest.mark.parametrize("flags", [0xE0, 0x20, 0x04, 0x08, 0x10, 0x02])
def test_the_beginning_of_a_member_that_is_none_is_nobodys_file(flags: int) -> None:
    """Reserved flags, or fields that do not end: looked at by every format, read by none, and no error."""
    for rest in (b"", b"\0\0\0\0\0\xff", b"\0\0\0\0\0\xff" + b"x" * 5000):
        verdict = verified(("page.warc.gz", b"\x1f\x8b\x08" + bytes((flags,)) + rest))
        assert verdict.sources[0].format == "unknown" and verdict.overall is Overall.INDETERMINATE
