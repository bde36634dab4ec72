"""Zip archives: what other programs write is read alike; what two programs could read differently is refused."""

import io
import os
import struct
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator

import pytest

from evidence.verification.codecs import inflate, zipdirectory, zipstrict
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.codecs.zipstrict import Rule
from evidence.verification.reasons import Reason

TEXT = b"the quick brown fox " * 40
FILES = {"a.txt": TEXT, "dir/b.bin": bytes(range(256)), "empty": b""}


def read(data: bytes) -> dict[str, bytes]:
    """Name -> content of every member; AssertionError with the faults when the archive is refused."""
    octets = BytesOctets(data)
    directory = zipstrict.read(octets)
    assert directory.sound, directory.faults
    budget = inflate.Budget()
    return {m.name: b"".join(zipstrict.contents(octets, m, budget)) for m in directory.members}


def refused(data: bytes) -> set[tuple[Rule, Reason]]:
    """Rules and reasons for which the archive, or a member of it, is refused; empty when it is read."""
    octets = BytesOctets(data)
    directory = zipstrict.read(octets)
    if not directory.sound:
        return {(f.rule, f.reason) for f in directory.faults}
    budget, found = inflate.Budget(), set()
    for member in directory.members:
        try:
            for _ in zipstrict.contents(octets, member, budget):
                pass
        except zipstrict.MemberDamaged as damage:
            found.add((Rule.DATA, damage.reason))
        except inflate.LimitReached:
            found.add((Rule.LIMITS, Reason.RESOURCE_LIMIT))
    return found


STRUCTURE = (Rule.STRUCTURE, Reason.FORMAT_FAILURE)
NAMES = (Rule.NAMES, Reason.FORMAT_FAILURE)


def made(files: dict[str, bytes] = FILES, *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """By Python's zipfile."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


class Pipe(io.RawIOBase):
    """A stream that cannot seek, for which zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(memoryview(data))  # type: ignore[arg-type]


def streamed(files: dict[str, bytes] = FILES, *, zip64: bool = False) -> bytes:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(content)
    return bytes(pipe.data)


# ── what is read ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [made(), made(method=zipfile.ZIP_STORED), made(comment=b"a comment"), streamed(), streamed(zip64=True), made({})],
    ids=["deflated", "stored", "comment", "streamed", "streamed zip64", "empty"],
)
def test_what_python_writes_is_read_like_python_reads_it(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert read(data) == {n: archive.read(n) for n in archive.namelist()}


def test_zip64_sizes_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(TEXT)
    assert read(out.getvalue()) == {"a": TEXT}


def test_names_in_utf8_and_in_gb18030() -> None:
    assert set(read(made({"网页源码.html": b"x"}))) == {"网页源码.html"}
    data = built(Plan("网页源码.html".encode("gb18030"), b"x"))
    directory = zipstrict.read(BytesOctets(data))
    assert [(m.name, m.encoding) for m in directory.members] == [("网页源码.html", "gb18030")]


def test_a_directory_is_a_member_without_data() -> None:
    directory = zipstrict.read(BytesOctets(made({"d/": b"", "d/a": b"1"})))
    assert [(m.name, m.is_directory) for m in directory.members] == [("d/", True), ("d/a", False)]


def test_a_matching_unicode_path_is_read_and_another_refused() -> None:
    raw = "权.txt".encode("gb18030")
    for name, wanted in (("权.txt", set()), ("板.txt", {STRUCTURE})):
        path = name.encode()
        field = struct.pack("<HHBL", 0x7075, 5 + len(path), 1, zlib.crc32(raw)) + path
        assert refused(built(Plan(raw, b"x", extra=field, local_extra=field))) == wanted
        # In either header alone it must agree as well.
        assert refused(built(Plan(raw, b"x", local_extra=field))) == wanted
        assert refused(built(Plan(raw, b"x", extra=field, local_extra=b""))) == wanted


# ── archives built field by field ─────────────────────────────────────────────────────────────────────────────────────


class Plan:
    """One member. Central values follow the content unless a test says otherwise; local ones follow the central."""

    def __init__(self, name: bytes, content: bytes, *, deflate: bool = False, **changes: object) -> None:
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = compressor.compress(content) + compressor.flush() if deflate else content
        self.data = changes.pop("data", data)
        central = {
            "name": name,
            "flags": 0,
            "method": 8 if deflate else 0,
            "crc": zlib.crc32(content),
            "compressed": len(self.data),
            "size": len(content),
            "extra": b"",
            "attributes": 0,
            "offset": None,
        }
        local = {k[6:]: v for k, v in changes.items() if k.startswith("local_")}
        self.descriptor = changes.pop("descriptor", b"")
        self.central = {**central, **{k: v for k, v in changes.items() if not k.startswith("local_")}}
        self.local = {**self.central, "extra": b"", **local}


def built(
    *plans: Plan,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
    after_directory: bytes = b"",
    tail: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    disks: tuple[int, int] = (0, 0),
    shift: int = 0,
) -> bytes:
    """`before`, `between`, `after`: bytes that belong to no member. `shift` is added to every recorded offset."""
    out, directory = bytearray(before), bytearray()
    for plan in plans:
        c, loc = plan.central, plan.local
        offset = len(out) if c["offset"] is None else c["offset"]
        if c["offset"] is None:
            out += struct.pack(
                "<4s5H3L2H", b"PK\3\4", 20, loc["flags"], loc["method"], 0, 33, loc["crc"], loc["compressed"],
                loc["size"], len(loc["name"]), len(loc["extra"]),
            )
            out += loc["name"] + loc["extra"] + plan.data + plan.descriptor + between
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, c["flags"], c["method"], 0, 33, c["crc"], c["compressed"], c["size"],
            len(c["name"]), len(c["extra"]), 0, 0, 0, c["attributes"], offset + shift,
        )
        directory += c["name"] + c["extra"]
    out += after
    start = len(out) + shift
    entries = len(plans) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", *disks, entries, entries, len(directory), start, len(comment))
    return bytes(out) + bytes(directory) + after_directory + end + comment + tail


def plain(name: bytes = b"a.txt", content: bytes = TEXT, **changes: object) -> Plan:
    return Plan(name, content, **changes)


def test_the_builder_builds_what_is_read() -> None:
    assert read(built(plain(), Plan(b"b", TEXT, deflate=True))) == {"a.txt": TEXT, "b": TEXT}


def descriptor(content: bytes, *, signature: bool = True, wide: bool = False, crc: int | None = None) -> bytes:
    form = "<L2Q" if wide else "<3L"
    body = struct.pack(form, zlib.crc32(content) if crc is None else crc, len(content), len(content))
    return (b"PK\7\x08" if signature else b"") + body


ZEROS = {"local_crc": 0, "local_compressed": 0, "local_size": 0}


@pytest.mark.parametrize("signature", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_all_four_forms_of_data_descriptor_are_read(signature: bool, wide: bool) -> None:
    d = descriptor(TEXT, signature=signature, wide=wide)
    assert read(built(plain(flags=8, descriptor=d, **ZEROS), plain(b"b"))) == {"a.txt": TEXT, "b": TEXT}


TWO = plain(), plain(b"b", b"other")
ATTACKS: dict[str, Callable[[], bytes]] = {
    "bytes before the first member": lambda: built(*TWO, before=b"%PDF-1.4\n"),
    "bytes before, offsets shifted": lambda: b"%PDF-1.4\n" + built(*TWO),
    "bytes before, offsets adjusted": lambda: b"MZ" * 8 + built(*TWO, shift=16),
    "bytes between members": lambda: built(*TWO, between=b"\0hidden\0"),
    "bytes before the directory": lambda: built(*TWO, after=b"hidden"),
    "bytes after the directory": lambda: built(*TWO, after_directory=b"hidden"),
    "bytes after the end": lambda: built(*TWO, tail=b"hidden"),
    "a second end record in the comment": lambda: built(*TWO, comment=b"PK\5\6" + bytes(18)),
    "an archive in the comment": lambda: built(*TWO, comment=built(plain(b"evil"))),
    "one name twice": lambda: built(plain(), plain(content=b"other")),
    "two headers for one member": lambda: built(plain(), plain(b"b", offset=0)),
    "more headers declared": lambda: built(*TWO, count=3),
    "fewer headers declared": lambda: built(*TWO, count=1),
    "several disks": lambda: built(*TWO, disks=(1, 1)),
    "local name differs": lambda: built(plain(local_name=b"b.txt")),
    "local method differs": lambda: built(plain(local_method=8)),
    "local flags differ": lambda: built(plain(local_flags=0x800)),
    "local CRC-32 differs": lambda: built(plain(local_crc=1)),
    "local size differs": lambda: built(plain(local_size=1)),
    "local compressed size differs": lambda: built(plain(local_compressed=1)),
    "descriptor flag only in the directory": lambda: built(plain(flags=8, local_flags=0)),
    "descriptor without the flag": lambda: built(plain(descriptor=descriptor(TEXT))),
    "descriptor with another CRC-32": lambda: built(plain(flags=8, descriptor=descriptor(TEXT, crc=7), **ZEROS)),
    "descriptor missing": lambda: built(plain(flags=8, **ZEROS)),
    "extra field that does not parse": lambda: built(plain(extra=b"\1\0\xff")),
    "extra field beyond its header": lambda: built(plain(extra=b"\x55\x54\x09\0a")),
    "extra field twice": lambda: built(plain(extra=struct.pack("<HH", 0x5455, 0) * 2)),
    "local extra field twice": lambda: built(plain(local_extra=struct.pack("<HH", 0x5455, 0) * 2)),
    "zip64 field without need": lambda: built(plain(extra=struct.pack("<HHQ", 1, 8, len(TEXT)))),
    "zip64 sentinel without value": lambda: built(plain(size=0xFFFFFFFF, local_size=len(TEXT))),
    "zip64 field with too many values": lambda: built(
        plain(size=0xFFFFFFFF, local_size=len(TEXT), extra=struct.pack("<HHQQ", 1, 16, len(TEXT), 1))
    ),
    "directory cut": lambda: (lambda d: d[:40] + d[60:])(built(*TWO)),
    "no end record": lambda: built(*TWO)[:-22],
    "nothing": lambda: b"",
    "only an end signature": lambda: b"PK\5\6",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_two_readers_could_read_differently_is_refused(attack: str) -> None:
    found = refused(ATTACKS[attack]())
    assert STRUCTURE in found, found


def test_zip64_end_records_must_agree() -> None:
    def with_zip64(count: int, *, plain_count: int = 0xFFFF, length: int = 44, gap: bytes = b"") -> bytes:
        body = built(plain())
        end = body.rindex(b"PK\5\6")
        _, _, _, _, _, cd_size, cd_offset, _ = struct.unpack_from("<4s4H2LH", body, end)
        wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", length, 45, 45, 0, 0, count, count, cd_size, cd_offset)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
        last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, plain_count, plain_count, cd_size, cd_offset, 0)
        return body[:end] + wide + gap + locator + last

    assert read(with_zip64(1)) == {"a.txt": TEXT}
    assert read(with_zip64(1, plain_count=1)) == {"a.txt": TEXT}, "no sentinel, the same values: as Python writes it from 2 GiB on"
    for data in (
        with_zip64(2),
        with_zip64(2, plain_count=1),
        with_zip64(1, plain_count=2),
        with_zip64(1, length=60),  # extensible data
        with_zip64(1, gap=b"\0" * 4),
        with_zip64(1).replace(b"PK\6\6", b"PK\6\5"),
    ):
        assert STRUCTURE in refused(data)


def test_an_archive_of_python_beyond_two_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's limit is 2^31-1, not 2^32-1: below 4 GiB it writes the long end record while the short one holds the same values.
    To see it fail: refuse a zip64 end record that no value needs."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    assert b"PK\6\6" in (data := made(method=zipfile.ZIP_STORED)) and read(data) == FILES


BAD_NAMES = {
    "": "empty",
    "/etc/passwd": "absolute",
    "C:/x": "drive",
    "a\\b": "backslash",
    "../x": "parent",
    "a/../b": "parent inside",
    "./a": "dot",
    "a//b": "empty part",
    "a\0.txt": "NUL",
    "a\nb": "line end",
    "a\x7f": "delete",
    "\u202egnp.exe": "bidirectional",
    "a\u2066b": "isolate",
    "a ": "space at the end",
    "dir./b": "dot at the end of a part",
    "CON": "device",
    "x/nul.txt": "device with extension",
    "Com7.log": "device in mixed case",
    "n" * 1025: "too long",
}


@pytest.mark.parametrize("name", BAD_NAMES, ids=BAD_NAMES.values())
def test_names_that_lead_elsewhere_or_deceive_are_refused(name: str) -> None:
    assert NAMES in refused(built(plain(name.encode(), flags=0x800)))


@pytest.mark.parametrize("name", ["raw/response_2023-02-19T00:49:59.837Z_sha256:8ca0", "a b.txt", "文件 1.txt", "con1"])
def test_unusual_but_plain_names_are_read(name: str) -> None:
    assert set(read(built(plain(name.encode(), flags=0x800)))) == {name}


def test_names_that_may_be_one_file_are_refused() -> None:
    assert NAMES in refused(built(plain(b"Page.html"), plain(b"page.HTML")))
    composed, decomposed = "é.txt", unicodedata.normalize("NFD", "é.txt")
    assert NAMES in refused(built(plain(composed.encode(), flags=0x800), plain(decomposed.encode(), flags=0x800)))


def test_bytes_that_are_no_name_in_any_encoding_are_refused() -> None:
    assert NAMES in refused(built(plain(b"\xff\xff\xff")))
    assert NAMES in refused(built(plain(b"\xb0\xa1", flags=0x800)))  # GBK under the UTF-8 flag


def test_links_devices_and_directories_with_data_are_refused() -> None:
    for mode in (0o120777, 0o010644, 0o020644, 0o060644, 0o140777):
        assert NAMES in refused(built(plain(attributes=mode << 16)))
    assert refused(built(plain(attributes=0o100644 << 16))) == set()
    assert NAMES in refused(built(plain(b"dir/", b"data")))


# ── data ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deflated(**changes: object) -> Plan:
    return Plan(b"a", TEXT, deflate=True, **changes)


def test_data_that_are_not_as_declared() -> None:
    stream = deflated().data
    damaged, size = (Rule.DATA, Reason.FORMAT_FAILURE), len(TEXT)
    assert refused(built(plain(crc=1))) == {(Rule.DATA, Reason.HASH_FAILURE)}
    assert refused(built(deflated(crc=1))) == {(Rule.DATA, Reason.HASH_FAILURE)}
    assert refused(built(deflated(size=size - 1))) == {damaged}
    assert refused(built(deflated(size=size + 1))) == {damaged}
    assert refused(built(deflated(data=stream[:-1], compressed=len(stream) - 1))) == {damaged}
    assert refused(built(deflated(data=stream + b"\0", compressed=len(stream) + 1))) == {damaged}
    assert refused(built(deflated(data=b"\xff" * 20, compressed=20))) == {damaged}
    assert refused(built(plain(size=len(TEXT) + 1))) == {damaged}  # stored, sizes differ


def test_encryption_and_other_methods_are_not_supported() -> None:
    unsupported = (Rule.DATA, Reason.UNSUPPORTED_FORMAT)
    for flags in (0x0001, 0x0041, 0x2000):
        assert refused(built(plain(flags=flags))) == {unsupported}
    for method in (1, 9, 12, 14, 93, 99):
        assert refused(built(plain(method=method))) == {unsupported}
    assert refused(built(plain(flags=0x1000))) == {(Rule.DATA, Reason.FORMAT_FAILURE)}


def test_a_flood_of_one_fault_does_not_hide_another() -> None:
    many = [plain(b"m%d" % i, method=12) for i in range(200)]
    assert STRUCTURE in refused(built(*many, plain(local_name=b"x")))


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LIMITS = {(Rule.LIMITS, Reason.RESOURCE_LIMIT)}


def test_a_ratio_bomb_stops_long_before_its_end() -> None:
    bomb = Plan(b"a", bytes(200 << 20), deflate=True)
    octets = BytesOctets(built(bomb))
    member = zipstrict.read(octets).members[0]
    made_bytes: list[int] = []
    with pytest.raises(inflate.LimitReached, match="RATIO_MAX"):
        made_bytes.extend(map(len, zipstrict.contents(octets, member, inflate.Budget())))
    assert sum(made_bytes) <= inflate.RATIO_FLOOR


def test_too_large_too_many_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "MEMBER_MAX", 100)
    assert refused(built(Plan(b"a", bytes(1000), deflate=True))) == LIMITS
    monkeypatch.undo()
    monkeypatch.setattr(zipdirectory, "MEMBERS_MAX", 1)
    assert refused(built(*TWO)) == LIMITS
    monkeypatch.undo()
    monkeypatch.setattr(zipdirectory, "DIRECTORY_MAX", 60)
    assert refused(built(*TWO)) == LIMITS


def test_what_hardly_shrinks_may_be_as_large_as_the_file_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WACZ of 500 MB holds one stored archive of 499 MB: nothing can explode there, so it is read and not left open."""
    noise = os.urandom(5000)
    monkeypatch.setattr(inflate, "MEMBER_MAX", 100)
    for deflate in (False, True):
        octets = BytesOctets(built(Plan(b"archive/data.warc.gz", noise, deflate=deflate)))
        (member,) = zipstrict.read(octets).members
        assert b"".join(zipstrict.contents(octets, member, inflate.Budget())) == noise
    # A stored member that claims more than it occupies is no member at all.
    assert refused(built(Plan(b"a", noise, size=1 << 31))) != LIMITS


def test_the_budget_is_one_for_all_members() -> None:
    data = built(*[Plan(b"m%d" % i, bytes(1000) + TEXT, deflate=True) for i in range(4)])
    octets = BytesOctets(data)
    budget = inflate.Budget(3 * (1000 + len(TEXT)))
    *first, last = zipstrict.read(octets).members
    assert [sum(map(len, zipstrict.contents(octets, m, budget))) for m in first] == [1000 + len(TEXT)] * 3
    with pytest.raises(inflate.LimitReached, match="INFLATED_TOTAL_MAX"):
        list(zipstrict.contents(octets, last, budget))


# ── every single bit ──────────────────────────────────────────────────────────────────────────────────────────────────


def flipped(data: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.parametrize("data", [made({"a.txt": TEXT, "b": b"12"}), streamed({"a.txt": TEXT}), built(*TWO)])
def test_no_single_bit_changes_what_is_read(data: bytes) -> None:
    """Either the archive is refused, or the same names hold the same bytes. (Times and versions may change.)"""
    truth = read(data)
    accepted = 0
    for changed in flipped(data):
        if not refused(changed):
            accepted += 1
            assert read(changed) == truth
    assert accepted < 8 * len(data) // 3


def test_python_reads_some_of_the_attacks_without_a_word() -> None:
    """Why Python's zipfile is not the reader: it takes the last of two names and tolerates a prefix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attack in ("one name twice", "bytes before, offsets shifted", "bytes between members"):
            with zipfile.ZipFile(io.BytesIO(ATTACKS[attack]())) as archive:
                assert archive.testzip() is None


# ── what single conditions decide ─────────────────────────────────────────────────────────────────────────────────────


def test_sizes_of_the_local_header_are_zero_or_right_and_zero_only_before_a_descriptor() -> None:
    """APPNOTE §4.4.4, bit 3. A reader that goes by local headers would take such a member for an empty one, or for another."""
    d = descriptor(TEXT)
    assert refused(built(plain(**ZEROS))) == {STRUCTURE}
    assert refused(built(plain(flags=8, descriptor=d))) == set()
    for name in ZEROS:
        assert refused(built(plain(flags=8, descriptor=d, **{name: 7}))) == {STRUCTURE}, name
        others = {k: v for k, v in ZEROS.items() if k != name}
        assert refused(built(plain(flags=8, descriptor=d, **others))) == {STRUCTURE}, name


def test_many_faults_of_one_kind_do_not_push_out_another() -> None:
    bad = [plain(b"../%d" % n, b"") for n in range(zipstrict.FAULTS_MAX + 10)]
    odd = plain(b"packed", method=12)
    faults = zipstrict.read(BytesOctets(built(*bad, odd, plain(**ZEROS)))).faults
    assert sum(f.rule is Rule.NAMES for f in faults) == zipstrict.FAULTS_MAX
    assert {(f.rule, f.reason) for f in faults} >= {NAMES, STRUCTURE, (Rule.DATA, Reason.UNSUPPORTED_FORMAT)}


def test_the_largest_local_header_is_read() -> None:
    """A name and an extra field that together exceed 65,535 bytes."""
    extra = struct.pack("<HH", 0x7777, 65_531) + bytes(65_531)
    assert read(built(plain(b"n" * 900, local_extra=extra), plain())) == {"n" * 900: TEXT, "a.txt": TEXT}
    twice = struct.pack("<HH", 0x7777, 65_000) + bytes(65_000) + struct.pack("<HH", 0x7777, 0)
    assert refused(built(plain(b"n" * 900, local_extra=twice))) == {STRUCTURE}


def test_a_member_that_overlaps_what_follows_it_is_named() -> None:
    data = built(plain(compressed=len(TEXT) + 5, size=len(TEXT) + 5), plain(b"b"))
    (fault, *_) = zipstrict.read(BytesOctets(data)).faults
    assert fault.rule is Rule.STRUCTURE and "overlap" in fault.detail
