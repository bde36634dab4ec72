"""What a reader must be pointed to (court-domain §11.1 nos. 2, 9, 10): the condition of files, conflicts, duplicates, what was not examined.

Everything is read off verdicts and rows of the exhibits in this report; nothing here looks at an exhibit that the report does not hold,
so that no duplicate tells of a case its reader may not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.registry import UNKNOWN

from .printable import NAME_MAX, clean
from .wording import Words, words

if TYPE_CHECKING:
    from .document import Item

DAMAGE = frozenset({"TRUNCATED", "GZIP_CHECK_FAILURE", "FORMAT_FAILURE"})
"""Reasons that say the bytes are not whole or not well formed."""
NOT_EXAMINED = frozenset({"UNSUPPORTED_FORMAT", "NETWORK_REQUIRED", "RESOURCE_LIMIT", "SELFTEST_FAILED", "INTERNAL_ERROR", "PROOF_UNUSABLE"})
"""Reasons why a check was not made at all."""
CONFLICTS = frozenset({"CERT_FIELDS_CONFLICT", "FACTS_CONFLICT", "INDEX_MISMATCH", "CERT_HOST_MISMATCH", "TIMESTAMP_ORDER_FAILURE"})
UNKNOWN_TYPES = frozenset({"", "application/octet-stream"})
BYTES_ONLY = Words("不是可以解析的格式，只核对字节，没有看其内容", "not a format that can be read: checked as bytes, its content was not looked at")
WHOLE = Words("未见损坏", "no sign of damage")
DAMAGED = Words("不完整或者格式有错，见逐项核验", "incomplete or malformed, see the checks")
OTHER_TYPE = Words("申报的类型与检测的不同", "declared type differs from the detected one")
SAME_BYTES = Words("与下列证据中的文件字节相同", "the same bytes as a file of")
LATE = Words("写明的时间晚于已证明或者收到的时间，两者不能同时成立", "a stated time is later than the proven or received one; both cannot be")
ENDED = Words("证书或者证明材料之间、与文件之间有出入", "certificate, proof and file disagree")
ADVISORY_OPEN = Words("仅供参考的检查未通过", "an advisory check did not pass")
LINES_MAX = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to look at: in which exhibit, what it is, and the data that belongs to it."""

    item: Words
    what: Words
    detail: Words


def condition(data: Any, *, name: str, declared: str, detected: str) -> tuple[Words, ...]:
    """The state in which one file arrived, as far as the checks tell."""
    reasons = {
        f["reason"] for f in data["findings"] if f["reason"] in DAMAGE and (f["subject"] == name or f["subject"].startswith(f"{name} · "))
    }
    found = [DAMAGED if reasons else WHOLE]
    if not {declared, detected} & UNKNOWN_TYPES and declared.split(";")[0].strip().lower() != detected.lower():
        found.append(OTHER_TYPE)
    return tuple(found)


def lines(items: Sequence["Item"], *, limit: int | None = LINES_MAX) -> tuple[tuple[Line, ...], int]:
    """(findings needing attention, how many more than `limit`)."""
    found: list[Line] = []
    holders: dict[str, list[Item]] = {}
    for item in items:
        for sha256 in {f.sha256 for f in item.files}:
            holders.setdefault(sha256, []).append(item)
    for item in items:
        for check in (*item.open_checks, *item.advisory_checks):
            subject = _same(clean(check.places[0].subject, NAME_MAX) if check.places else "")
            if check.reason in CONFLICTS:
                found.append(Line(item.label, Words(f"{ENDED.zh}：{check.answer.zh}", f"{ENDED.en}: {check.answer.en}"), subject))
            elif check.advisory:
                found.append(Line(item.label, Words(f"{ADVISORY_OPEN.zh}：{check.answer.zh}", f"{ADVISORY_OPEN.en}: {check.answer.en}"), subject))
        found += [Line(item.label, LATE, _same(f"{e.at.utc} {e.source}")) for e in item.events if e.late]
        for file in item.files:
            others = [o.label for o in holders[file.sha256] if o is not item]
            if others:
                more = " …" if len(others) > 5 else ""
                zh, en = (", ".join(o[:5]) for o in ([o.zh for o in others], [o.en for o in others]))
                found.append(Line(item.label, SAME_BYTES, Words(f"{file.name} = {zh}{more}", f"{file.name} = {en}{more}")))
            if OTHER_TYPE in file.condition:
                found.append(Line(item.label, OTHER_TYPE, _same(f"{file.name}: {file.declared_type} / {file.detected_type}")))
    return _first(found, limit)


def not_run(items: Sequence["Item"], *, limit: int | None = LINES_MAX) -> tuple[tuple[Line, ...], int]:
    """(what was not examined, and why; how many more than `limit`)."""
    found: list[Line] = []
    for item in items:
        found += [Line(item.label, BYTES_ONLY, _same(f.name)) for f in item.files if f.format == UNKNOWN.name]
        for check in (*item.open_checks, *item.advisory_checks):
            if check.reason in NOT_EXAMINED:
                meaning = words(catalogue.meaning, Reason(check.reason))
                found.append(Line(item.label, meaning, _same(f"{check.id} {clean(check.places[0].subject, NAME_MAX) if check.places else ''}")))
    return _first(found, limit)


def _same(text: str) -> Words:
    """What is in no language: names and codes."""
    return Words(text, text)


def _first(found: Sequence[Line], limit: int | None) -> tuple[tuple[Line, ...], int]:
    distinct = tuple(dict.fromkeys(found))
    return distinct[:limit], max(0, len(distinct) - (len(distinct) if limit is None else limit))


def flags(items: Sequence["Item"]) -> dict[str, int]:
    """Label of an exhibit -> how many lines concern it, for the summary."""
    found: dict[str, int] = {}
    for line in lines(items, limit=None)[0]:
        found[line.item.zh] = found.get(line.item.zh, 0) + 1
    return found
