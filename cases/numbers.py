"""The grammar of Chinese case numbers 案号 (法〔2015〕137号, 法〔2018〕335号): pure, no database.

    （2026）川01民初123号      year, court code, [知], type code, number, [之N]

`parse` never raises: it answers `valid`, `legacy` (the 字第 form, before 2016) or `invalid` with the first fault in words
that a person can act on. An unknown court is not a fault here; the caller warns.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

LENGTH_MAX = 60
"""Longer than any case number; a bound before the regular expression sees the text."""
FIRST_YEAR = 2016
"""The present form is in force since 2016-01-01."""
SPECIAL_FROM = 2019
"""专门审判代字 知 exists since the 2018 notice took effect."""
PROVINCES = "京津冀晋内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔云藏陕甘青宁新军兵"
DEATH_PENALTY_REVIEW = "刑核"
DEATH_PENALTY_DIGITS = 8


class Status(StrEnum):
    VALID = "valid"
    LEGACY = "legacy"
    INVALID = "invalid"


class Fault(StrEnum):
    """What is wrong; the sentences are in `cases.sentences` so that this module stays pure."""

    EMPTY = "EMPTY"
    SHAPE = "SHAPE"
    YEAR_MISSING = "YEAR_MISSING"
    YEAR_EARLY = "YEAR_EARLY"
    YEAR_FUTURE = "YEAR_FUTURE"
    COURT = "COURT"
    TYPE = "TYPE"
    SEQUENCE = "SEQUENCE"
    NO_HAO = "NO_HAO"
    LEVEL = "LEVEL"
    SPECIAL_EARLY = "SPECIAL_EARLY"
    REVIEW_DIGITS = "REVIEW_DIGITS"
    LEGACY_LATE = "LEGACY_LATE"


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """The parts are None when `status` is not VALID. 之N is a suffix of one document, not part of the case's `key`."""

    status: Status
    normalized: str | None = None
    year: int | None = None
    court: str | None = None
    level: str | None = None
    special: str | None = None
    type: str | None = None
    seq: int | None = None
    sub: str | None = None
    fault: Fault | None = None

    @property
    def key(self) -> str | None:
        return self.normalized.removesuffix(self.sub or "") if self.normalized else None


@cache
def types() -> dict[str, str]:
    """Type code 类型代字 -> its name."""
    rows = json.loads((Path(__file__).parent / "data" / "cn_case_types.json").read_bytes())["types"]
    return {row["abbr"]: row["name"] for row in rows}


@cache
def _pattern() -> re.Pattern[str]:
    codes = "|".join(sorted(map(re.escape, types()), key=len, reverse=True))
    return re.compile(
        rf"（(\d{{4}})）(最高法|[{PROVINCES}](?:\d{{4}}|\d{{2}})?)(知?)({codes})([1-9]\d{{0,7}})号(之[一二三四五六七八九十]{{1,3}})?",
        re.ASCII,
    )


_LEGACY = re.compile(r"（(\d{4})）(\w{1,12}?)字第([1-9]\d{0,7})号(之[一二三四五六七八九十]{1,3})?")


def normalise(text: str) -> str:
    """NFKC, no spaces or invisible characters, every bracket a full-width round one."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return text.translate(str.maketrans("()[]〔〕【】", "（）（）（）（）"))


def parse(text: str, *, this_year: int) -> CaseNumber:
    """`this_year` bounds the year from above, so that the answer needs no clock."""
    if len(text) > LENGTH_MAX:
        return _invalid(Fault.SHAPE)
    given = normalise(text)
    if not given:
        return _invalid(Fault.EMPTY)
    match = _pattern().fullmatch(given)
    if not match:
        return _legacy(given) or _invalid(_what_is_wrong(given))
    year, court, special, kind, seq, sub = match.groups()
    level = _level(court)
    if int(year) < FIRST_YEAR:
        return _invalid(Fault.YEAR_EARLY)
    if int(year) > this_year:
        return _invalid(Fault.YEAR_FUTURE)
    if kind.endswith("终") and level == "basic":
        return _invalid(Fault.LEVEL)
    if special and int(year) < SPECIAL_FROM:
        return _invalid(Fault.SPECIAL_EARLY)
    if kind == DEATH_PENALTY_REVIEW and len(seq) != DEATH_PENALTY_DIGITS:
        return _invalid(Fault.REVIEW_DIGITS)
    return CaseNumber(
        Status.VALID,
        normalized=given,
        year=int(year),
        court=court,
        level=level,
        special=special or None,
        type=kind,
        seq=int(seq),
        sub=sub,
    )


def _level(court: str) -> str:
    if court == "最高法":
        return "supreme"
    return {1: "high", 3: "intermediate", 5: "basic"}[len(court)]


def _legacy(given: str) -> CaseNumber | None:
    match = _LEGACY.fullmatch(given)
    if not match:
        return None
    if int(match[1]) >= FIRST_YEAR:
        return _invalid(Fault.LEGACY_LATE)
    return CaseNumber(Status.LEGACY, normalized=given, year=int(match[1]), seq=int(match[3]), sub=match[4])


def _what_is_wrong(given: str) -> Fault:
    """Reads from the left and names the first part that does not fit."""
    rest = re.match(r"（\d{4}）(.*)", given, re.ASCII)
    if not rest:
        return Fault.YEAR_MISSING
    court = re.match(rf"(?:最高法|[{PROVINCES}](?:\d{{4}}|\d{{2}})?)(?!\d)(.*)", rest[1], re.ASCII)
    if not court:
        return Fault.COURT
    after = court[1].removeprefix("知")
    kind = next((t for t in sorted(types(), key=len, reverse=True) if after.startswith(t)), None)
    if kind is None:
        return Fault.TYPE
    tail = after.removeprefix(kind)
    if not re.match(r"[1-9]\d{0,7}(?!\d)", tail, re.ASCII):
        return Fault.SEQUENCE if not tail or tail[0].isdigit() or tail.startswith("号") else Fault.TYPE
    return Fault.SHAPE if "号" in tail else Fault.NO_HAO


def _invalid(fault: Fault) -> CaseNumber:
    return CaseNumber(Status.INVALID, fault=fault)
