"""The end records and the directory of a zip, one field at a time: each that two programs could read differently is refused."""

import struct
import zlib

import pytest

from evidence.verification.codecs import zipnames
from evidence.verification.codecs.zipstrict import Rule
from evidence.verification.reasons import Reason

from .test_zipstrict import STRUCTURE, TEXT, built, plain, read, refused

END = 22


def patched(data: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at if at >= 0 else len(data) + at, value)
    return bytes(changed)


def zip64(*, sentinels: bool = True, disk: int = 0, disks: int = 1, length: int = 44, count: int = 2, narrow: int | None = None) -> bytes:
    """An archive of two members with zip64 end records. `narrow`: the count that the plain end record states instead."""
    data = built(plain(), plain(b"b"))
    end, body = data[-END:], data[:-END]
    _, _, _, _, entries, size, offset, _ = struct.unpack("<4s4H2LH", end)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", length, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", disk, len(body), disks)
    shown = entries if narrow is None else narrow
    plain_end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, shown, shown, 0xFFFFFFFF if sentinels else size, offset, 0)
    return body + wide + locator + plain_end


def test_zip64_end_records() -> None:
    assert set(read(zip64())) == set(read(zip64(sentinels=False))) == {"a.txt", "b"}
    for bad in (
        zip64(sentinels=False, count=3),
        zip64(sentinels=False, narrow=3),
        zip64(disk=1),
        zip64(disks=0),
        zip64(disks=2),
        zip64(length=45),
        zip64(count=3),
        zip64(count=1),
        zip64(narrow=1),
        zip64(narrow=3),
    ):
        assert refused(bad) == {STRUCTURE}


def test_disks_and_counts() -> None:
    data = built(plain(), plain(b"b"))
    assert refused(patched(data, 4 - END, "<H", 1)) == {STRUCTURE}  # this disk
    assert refused(patched(data, 6 - END, "<H", 1)) == {STRUCTURE}  # the directory's disk
    assert refused(patched(data, 8 - END, "<H", 1)) == {STRUCTURE}  # entries on this disk
    assert refused(patched(data, 10 - END, "<H", 1)) == {STRUCTURE}  # entries in all
    central = data.index(b"PK\1\2")
    assert refused(patched(data, central + 34, "<H", 1)) == {STRUCTURE}  # the member's disk
    for field in (28, 30, 32):  # name, extra, comment longer than the directory
        assert refused(patched(data, data.rindex(b"PK\1\2") + field, "<H", 60_000)) == {STRUCTURE}


WIDE = struct.pack("<HHQ", 1, 8, 880)


def test_zip64_values_stand_where_they_are_due_and_only_there() -> None:
    for extra in (b"", struct.pack("<HHQQ", 1, 16, 880, 0), struct.pack("<HHL", 1, 4, 880)):
        assert STRUCTURE in refused(built(plain(size=0xFFFFFFFF, extra=extra, local_extra=b"")))
    assert refused(built(plain(extra=WIDE, local_extra=b""))) == {STRUCTURE}
    size = struct.pack("<HHQ", 1, 8, len(TEXT))
    assert read(built(plain(size=0xFFFFFFFF, extra=size, local_extra=size))) == {"a.txt": TEXT}
    assert read(built(plain(size=0xFFFFFFFF, extra=size, local_size=len(TEXT)))) == {"a.txt": TEXT}
    empty = struct.pack("<HH", 1, 0)
    assert refused(built(plain(extra=empty))) == {STRUCTURE}
    assert refused(built(plain(local_extra=empty))) == set()  # as one accepted vector has it


@pytest.mark.parametrize(
    ("version", "crc", "name"),
    [(2, None, "权.txt"), (1, 7, "权.txt"), (1, None, "板.txt"), (1, None, "权.txt\0")],
    ids=["version", "check sum", "name", "longer"],
)
def test_a_unicode_path_says_the_same_name_of_the_same_bytes(version: int, crc: int | None, name: str) -> None:
    raw = "权.txt".encode("gb18030")
    path = name.encode()
    field = struct.pack("<HHBL", 0x7075, 5 + len(path), version, zlib.crc32(raw) if crc is None else crc) + path
    assert refused(built(plain(raw, extra=field, local_extra=field))) == {STRUCTURE}
    short = struct.pack("<HHB", 0x7075, 1, 1)
    assert refused(built(plain(raw, extra=short, local_extra=short))) == {STRUCTURE}


def test_names_are_told_by_how_they_are_written() -> None:
    assert zipnames.accept(b"a.txt", declared_utf8=False, unix_mode=0, size=1) == ("a.txt", "ascii")
    assert zipnames.accept(b"a.txt", declared_utf8=True, unix_mode=0, size=1) == ("a.txt", "utf-8")
    assert zipnames.accept("权".encode("gb18030"), declared_utf8=False, unix_mode=0, size=1) == ("权", "gb18030")
    with pytest.raises(zipnames.NameRefused):
        zipnames.accept(b"\xff\xff", declared_utf8=True, unix_mode=0, size=1)
    assert (Rule.NAMES, Reason.FORMAT_FAILURE) in refused(built(plain(b"\xff", flags=0x0800)))


@pytest.mark.parametrize("junk", [b"\0", b"PK\5\5\2\0hi", b"hidden text between the directory and its end"], ids=repr)
def test_nothing_stands_in_the_directory_but_headers(junk: bytes) -> None:
    """Counted in its size, so that every offset fits; not in its number of entries."""
    data = built(plain(), plain(b"b"))
    body, end = data[:-END], data[-END:]
    size = struct.unpack_from("<L", end, 12)[0]
    assert refused(body + junk + patched(end, 12, "<L", size + len(junk))) == {STRUCTURE}


def test_colons_are_refused_where_they_name_a_drive() -> None:
    for name, wanted in ((b"C:x", True), (b"c:/x", True), (b"1:x", False), (b"raw/sha256:8ca0", False), (b"ab:c", False)):
        assert ((Rule.NAMES, Reason.FORMAT_FAILURE) in refused(built(plain(name)))) is wanted, name
    for name in (b"/a", b"a//b", b"a/./b", b"a/../b", b"a\\b", b"a/ ", b"a./b", b"nul", b"a/COM1.txt"):
        assert refused(built(plain(name))) == {(Rule.NAMES, Reason.FORMAT_FAILURE)}, name


def test_a_directory_is_no_fault() -> None:
    assert refused(built(plain(b"d/", b""), plain(b"d/a"))) == set()
    assert refused(built(plain(b"d/", b"x"))) == {(Rule.NAMES, Reason.FORMAT_FAILURE)}


def test_no_second_end_record_in_the_comment() -> None:
    """Some readers take the last signature, wherever it stands."""
    assert set(read(built(plain(), comment=b"a plain comment"))) == {"a.txt"}
    for comment in (b"PK\5\6", b"PK\5\6" + bytes(40), b"x" * 30 + b"PK\5\6" + bytes(18)):
        assert refused(built(plain(), comment=comment)) == {STRUCTURE}
