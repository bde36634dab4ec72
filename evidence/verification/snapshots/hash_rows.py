"""The list of file digests inside a forensic package, in whatever form its tool writes it (spec snapshots §10).

Tables (tab, comma, semicolon), `sha256sum` and BSD lines, blocks of `name: value` lines, JSON, xlsx. Columns are found by the
words of their headings, else by the shape of the values. 64 hex digits may be SHA-256 or SM3: the heading decides, without
one both are tried. Other digests by length: 40 SHA-1, 32 MD5, 96 SHA-384, 128 SHA-512.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import digests
from ..codecs import inflate, strict_json, xlsx

LIST_MAX = 4 << 20
"""Bytes of a hash list: 20,000 rows."""
LINE_MAX = 64 << 10
ROWS_MAX = 50_000

BY_LENGTH: Mapping[int, tuple[str, ...]] = {
    64: ("SHA-256", "SM3"),
    40: ("SHA-1",),
    32: ("MD5",),
    96: ("SHA-384",),
    128: ("SHA-512",),
}
"""Hex digits -> the algorithms that may be meant."""

_HEX = re.compile(r"[0-9A-Fa-f]+")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18}")
_LINE_END = re.compile(r"\r\n|\r|\n")
"""The only line ends: names may hold what other programs take for one."""
_SUM_LINE = re.compile(r"\\?([0-9A-Fa-f]{32,128})[ \t]+\*?(\S.*)")
_BSD_LINE = re.compile(r"([A-Za-z0-9/-]{3,12}) ?\((.+)\) ?= ?([0-9A-Fa-f]{32,128})")
_PAIR_LINE = re.compile(r"([^:：]{1,40})[:：]\s*(.*)")
_NAME_WORDS = ("文件名", "文件", "名称", "路径", "filename", "file", "name", "path")
_SIZE_WORDS = ("字节", "大小", "长度", "size", "bytes", "length")
_DIGEST_WORDS = ("哈希", "散列", "摘要", "校验", "指纹", "hash", "digest", "checksum")
_ALGORITHM_WORD = re.compile(r"sha[-_ ]?(?:3[-_ ]?)?(?:1|256|384|512)|sm[-_ ]?3|md[-_ ]?5", re.IGNORECASE)


class NotAHashList(ValueError):
    """Nothing in the file reads as a row of a hash list. The message says what kept it from being read."""


@dataclass(slots=True)
class Row:
    """One listed file. `digests`: (algorithm or None where 64 hex digits stand without a heading, value)."""

    name: str
    size: int | None = None
    digests: list[tuple[str | None, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HashList:
    """`unread`: rows with the name of a file and nothing that reads as a digest."""

    rows: tuple[Row, ...]
    encoding: str
    unread: int = 0


def read(name: str, data: bytes, budget: inflate.Budget) -> HashList:
    """Raises NotAHashList and LimitReached."""
    if data.startswith(b"PK\x03\x04"):
        try:
            tables = xlsx.sheets(data, budget)
        except xlsx.WorkbookError as fault:
            raise NotAHashList(str(fault)) from fault
        return _listed((row for table in tables for row in _from_table(table)), "xlsx")
    text, encoding = decode(data)
    if name.lower().endswith(".json") or text.lstrip()[:1] in ("{", "["):
        if encoding == "utf-16":
            raise NotAHashList("JSON in UTF-16")
        try:
            document = strict_json.loads(text.encode("utf-8"))
        except strict_json.JsonError as fault:
            raise NotAHashList(str(fault)) from fault
        return _listed(_from_json(document), encoding)
    lines = _LINE_END.split(text)
    if any(len(line) > LINE_MAX for line in lines):
        raise inflate.LimitReached("LINE_MAX")
    return _listed(_from_lines([line.strip(" ") for line in lines if line.strip()]), encoding)


def decode(data: bytes) -> tuple[str, str]:
    """Text of a list or log: UTF-8 with or without byte-order mark, UTF-16 with one (what Excel calls Unicode text), else GB18030.
    Raises NotAHashList."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as fault:
            raise NotAHashList("not UTF-16") from fault
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise NotAHashList("neither UTF-8 nor GB18030")


def contradictions(rows: Iterable[Row]) -> list[str]:
    """Names that come twice with different digests under one algorithm, or different sizes."""
    seen: dict[tuple[str, str], bytes] = {}
    sizes: dict[str, int] = {}
    found: list[str] = []
    for row in rows:
        if row.size is not None and sizes.setdefault(row.name, row.size) != row.size:
            found.append(row.name)
        for algorithm, value in row.digests:
            if seen.setdefault((row.name, algorithm or str(len(value))), value) != value:
                found.append(row.name)
    return list(dict.fromkeys(found))


def _listed(rows: Iterable[Row], encoding: str) -> HashList:
    kept: list[Row] = []
    unread = 0
    for row in rows:
        if row.name and row.digests:
            kept.append(row)
        elif row.name:
            unread += 1
        if len(kept) > ROWS_MAX:
            raise inflate.LimitReached("ROWS_MAX")
    if not kept:
        raise NotAHashList("no row with a name and a digest")
    return HashList(tuple(kept), encoding, unread)


def _from_lines(lines: Sequence[str]) -> Iterator[Row]:
    if not lines:
        return
    separator = next((s for s in ("\t", ",", ";", "|") if _is_table(lines, s)), None)
    if separator is not None:
        try:
            yield from _from_table(csv.reader(lines, delimiter=separator))
        except csv.Error as fault:
            raise NotAHashList("not a readable table") from fault
        return
    current: Row | None = None
    for line in lines:
        if bsd := _BSD_LINE.fullmatch(line):
            row = Row(bsd[2])
            _add(row, bsd[1], bsd[3])
            yield row
        elif sums := _SUM_LINE.fullmatch(line):
            row = Row(sums[2].strip())
            _add(row, "", sums[1])
            yield row
        elif pair := _PAIR_LINE.fullmatch(line):
            heading, value = pair[1].strip(), pair[2].strip()
            if _role(heading) == "name":
                if current is not None:
                    yield current
                current = Row(value)
            elif current is not None:
                _add(current, heading, value)
    if current is not None:
        yield current


def _is_table(lines: Sequence[str], separator: str) -> bool:
    """The first line is headings of files and digests, or more than half of the lines carry a digest in a cell of their own."""
    if {"name", "digest"} <= {_role(cell.strip('" ')) for cell in lines[0].split(separator)}:
        return True
    hits = sum(
        separator in line and any(_digest(cell.strip('" ')) for cell in line.split(separator))
        for line in lines
    )
    return hits * 2 > len(lines) - 1 and hits > 0


def _from_table(table: Iterable[Sequence[str]]) -> Iterator[Row]:
    headings: list[str] = []
    for cells in table:
        cells = [c.strip() for c in cells]
        if not any(cells):
            continue
        if not any(_digest(c) for c in cells):
            if not headings and any(_role(c) for c in cells):
                headings = cells
            elif any(c and _role(h) == "digest" and not _role(c) for c, h in zip(cells, headings, strict=False)):
                yield _row(cells, headings)  # something stands where a digest should, which is none
            continue
        yield _row(cells, headings)


def _row(cells: Sequence[str], headings: Sequence[str]) -> Row:
    row = Row("")
    titled = [(headings[i] if i < len(headings) else "", cell) for i, cell in enumerate(cells)]
    for heading, cell in titled:
        if _role(heading) == "name" and not row.name:
            row.name = cell
        else:
            _add(row, heading, cell)
    if not row.name:
        # No heading says so: the name is the cell that is neither digest nor number, a serial number aside.
        row.name = next((c for _, c in titled if c and not _digest(c) and not _NUMBER.fullmatch(c)), "")
    return row


def _from_json(document: Any) -> Iterator[Row]:
    """A list of objects, an object with such a list, or an object from name to digest or digests."""
    if isinstance(document, list):
        for item in document:
            if isinstance(item, dict):
                yield _row([_cell(v) for v in item.values()], list(item))
        return
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        if isinstance(value, list):
            yield from _from_json(value)
        elif isinstance(value, str) and _digest(value):
            row = Row(key)
            _add(row, "", value)
            yield row
        elif isinstance(value, dict):
            row = _row([_cell(v) for v in value.values()], list(value))
            yield Row(key if not row.name or _digest(row.name) else row.name, row.size, row.digests)


def _cell(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _role(heading: str) -> str | None:
    """`name`, `size`, `digest`, or None for a heading that says nothing to us."""
    text = heading.strip().lower().replace("_", "")
    if not text:
        return None
    if _ALGORITHM_WORD.search(heading) or any(w in text for w in _DIGEST_WORDS):
        return "digest"
    if any(w in text for w in _SIZE_WORDS):
        return "size"
    return "name" if any(w in text for w in _NAME_WORDS) else None


def _add(row: Row, heading: str, cell: str) -> None:
    """Take a cell as a digest, or as the size when its heading says so."""
    role = _role(heading)
    if role == "size" and row.size is None and _NUMBER.fullmatch(cell):
        row.size = int(cell.replace(",", ""))
    elif value := _digest(cell):
        named = _ALGORITHM_WORD.search(heading) or _ALGORITHM_WORD.match(cell)
        algorithm = digests.canonical_name(named[0].replace(" ", "")) if named else None
        if algorithm is None or digests.LENGTH[algorithm] != len(value):
            possible = BY_LENGTH[2 * len(value)]
            algorithm = possible[0] if len(possible) == 1 else None
        row.digests.append((algorithm, value))


def _digest(cell: str) -> bytes | None:
    """A cell that is a digest in hex, with or without an algorithm before it (`sha256:…`)."""
    text = cell.strip()
    label, colon, rest = text.partition(":")
    if colon and _ALGORITHM_WORD.fullmatch(label.strip()):
        text = rest.strip()
    if len(text) in BY_LENGTH and _HEX.fullmatch(text):
        return bytes.fromhex(text)
    return None
