"""The cells of the sheets of an OOXML workbook as text (ECMA-376 part 1 §18), and nothing else of it.

The workbook is a strict zip, its XML must not declare a document type, formulas are not computed: what is stored is read.
"""

import re
from xml.parsers import expat

from . import inflate, zipstrict
from .octets import BytesOctets

PART_MAX = 4 << 20
"""Inflated bytes of the sheet or of the shared strings: a list of 20,000 files."""
ROWS_MAX, COLUMNS_MAX = 50_000, 64
DEPTH_MAX = 64
SHEETS_MAX = 20
CELL_MAX = 32_767
"""Characters of a cell, as in Excel."""
TEXT_MAX = 16 << 20
"""Characters of all cells: a shared string costs a workbook a few bytes wherever it is used."""
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
STRINGS = "xl/sharedStrings.xml"

_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)


class WorkbookError(ValueError):
    """Not a workbook that can be read strictly, or too large. The message names the offence."""


def sheets(data: bytes, budget: inflate.Budget) -> list[list[list[str]]]:
    """The rows of every sheet, whichever a program shows first or hides: each a list of cell texts ("" where empty). Raises
    WorkbookError and LimitReached."""
    octets = BytesOctets(data)
    directory = zipstrict.read(octets)
    if not directory.sound:
        raise WorkbookError("the workbook is not a strict zip")
    parts: dict[str, bytes] = {}
    members = [m for m in directory.members if m.name == STRINGS or SHEET.fullmatch(m.name)]
    if len(members) > SHEETS_MAX:
        raise inflate.LimitReached("SHEETS_MAX")
    for member in members:
        if member.size > PART_MAX:
            raise inflate.LimitReached("PART_MAX")
        try:
            parts[member.name] = b"".join(zipstrict.contents(octets, member, budget))
        except zipstrict.MemberDamaged as damage:
            raise WorkbookError(damage.detail) from damage
    strings = _Strings()
    if STRINGS in parts:
        strings.parse(parts.pop(STRINGS))
    if not parts:
        raise WorkbookError("no sheet")
    found = []
    text = 0
    for name in sorted(parts):
        sheet = _Sheet(strings.found)
        sheet.parse(parts[name])
        text += sum(len(cell) for row in sheet.rows for cell in row)
        if text > TEXT_MAX:
            raise inflate.LimitReached("TEXT_MAX")
        found.append(sheet.rows)
    return found


class _Reader:
    """Elements by local name; document types and depth are refused before they can cost anything."""

    def __init__(self) -> None:
        self._depth = 0

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text
        try:
            parser.Parse(data, True)
        except expat.ExpatError as fault:
            raise WorkbookError("not well-formed XML") from fault

    def _doctype(self, *_: object) -> None:
        raise WorkbookError("a document type is declared")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise WorkbookError("nested too deeply")
        self.start(name.rpartition(" ")[2], attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.end(name.rpartition(" ")[2])

    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, text: str) -> None: ...


class _Strings(_Reader):
    """`si` items; `t` runs are joined, phonetic runs (`rPh`) left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._parts: list[str] = []
        self._in_text = False
        self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        self._phonetic = self._phonetic or name == "rPh"
        self._in_text = name == "t"

    def end(self, name: str) -> None:
        if name == "si":
            self.found.append(_bounded("".join(self._parts)))
        if name == "rPh":
            self._phonetic = False
        self._in_text = False

    def text(self, text: str) -> None:
        if self._in_text and not self._phonetic:
            self._parts.append(text)


class _Sheet(_Reader):
    def __init__(self, strings: list[str]) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._strings = strings
        self._columns: set[int] = set()
        self._phonetic = False
        self._kind = ""
        self._column = 0
        self._value: list[str] = []
        self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            if len(self.rows) >= ROWS_MAX:
                raise inflate.LimitReached("ROWS_MAX")
            self.rows.append([])
            self._columns = set()
        elif name == "c":
            self._kind = attributes.get("t", "n")
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(reference[1]) if reference else len(self.rows[-1]) if self.rows else 0
            if self._column in self._columns:
                raise WorkbookError("a cell stands twice")
            self._columns.add(self._column)
            self._value = []
        self._phonetic = self._phonetic or name == "rPh"
        self._in_value = name in ("v", "t") and not self._phonetic

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "rPh":
            self._phonetic = False
        if name == "c" and self.rows and self._column < COLUMNS_MAX:
            row = self.rows[-1]
            row.extend([""] * (self._column + 1 - len(row)))
            row[self._column] = self._cell(_bounded("".join(self._value)))

    def text(self, text: str) -> None:
        if self._in_value:
            self._value.append(text)

    def _cell(self, value: str) -> str:
        if self._kind != "s":
            return value
        index = int(value) if re.fullmatch(r"[0-9]{1,7}", value, re.ASCII) else -1
        return self._strings[index] if 0 <= index < len(self._strings) else ""


def _bounded(text: str) -> str:
    if len(text) > CELL_MAX:
        raise inflate.LimitReached("CELL_MAX")
    return text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
