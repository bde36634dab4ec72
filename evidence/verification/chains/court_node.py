"""The court's record of what it asked its own nodes: step O of the ladder, `INCL.ONLINE` (spec consortium-chains §3.1, §10.3).

The portal adds this file to a run, beside the very answers of the nodes (`court-node/…`). The answers are verified like any other
bytes, by their own formats and under the pinned validators; this record only says that a node was asked, when, and what it said, and
whether that agrees with the rest. Nothing in it decides: no walk rests on it, and no grade; a record that is not of its documented form to the
last member keeps the exhibit open, because it needs no walk of its own and might hold anything.

So that no file of a party can pass for it, it is known by its name as much as by its content, and the portal hands in no party's
file under such a name (`evidence.runs.given`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..codecs import strict_json
from ..codecs.quotation import quote
from ..exhibit import FILES_MAX, Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, Finding, Outcome, failed, indeterminate, passed
from .ladder import Proof

NAME = "court-node/manifest.json"
FORMAT = "mingjian.court-node"
READ, ONLINE = "NODE.READ", "INCL.ONLINE"
BYTES_MAX = 1 << 20
INQUIRIES_MAX = 100
TEXT_MAX = 255
LOOK_BYTES = 4 << 10

_MEMBERS = ("node", "title", "family", "chain_id", "group_id", "tx_id", "asked_at", "outcome", "answers")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class _Malformed(ValueError):
    """The record is not of its documented form."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`outcome`: ANSWERED, NOT_FOUND, UNUSABLE or UNREACHABLE."""

    node: str
    tx_id: str
    asked_at: str
    outcome: str


def sniff(source: Source) -> int:
    if source.name != NAME:
        return 0
    return 100 if f'"{FORMAT}"'.encode() in source.head(LOOK_BYTES) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    return Examination(findings=tuple(f for s in sources for f in _examine(s, context)))


def _examine(source: Source, context: Context) -> Iterator[Finding]:
    data = source.read(BYTES_MAX)
    try:
        if data is None:
            raise _Malformed("too large")
        inquiries = _read(strict_json.loads(data))
    except (strict_json.JsonError, _Malformed) as fault:
        yield indeterminate(
            READ, Reason.UNSUPPORTED_FORMAT, source.name, actual=str(fault)[:TEXT_MAX], bearing=Bearing.DECISIVE
        )
        return
    yield passed(READ, source.name, actual=str(len(inquiries)), bearing=Bearing.ADVISORY)
    for inquiry in inquiries:
        yield _online(inquiry, f"{source.name} · {inquiry.node} · {inquiry.tx_id}", context.proofs)


def _online(inquiry: Inquiry, subject: str, proofs: Sequence[Proof]) -> Finding:
    def open_(reason: Reason) -> Finding:
        return indeterminate(ONLINE, reason, subject, actual=inquiry.asked_at, notes=notes, bearing=Bearing.ADVISORY)

    notes = ("COURT_NODE",)
    if inquiry.outcome == "NOT_FOUND":
        return open_(Reason.PLATFORM_NOT_FOUND)
    if inquiry.outcome == "UNREACHABLE":
        return open_(Reason.PLATFORM_UNREACHABLE)
    about = [p for p in proofs if p.inclusion.tx_id and _bare(p.inclusion.tx_id) == _bare(inquiry.tx_id)]
    whole = [p for p in about if p.inclusion.transaction.outcome is Outcome.PASSED]
    if inquiry.outcome != "ANSWERED" or not whole:
        return open_(Reason.PROOF_UNUSABLE)
    if any(p.spoken_of for p in whole):
        return passed(ONLINE, subject, actual=inquiry.asked_at, notes=notes, bearing=Bearing.ADVISORY)
    if any(p.recorded for p in whole):
        return failed(
            ONLINE, Reason.HASH_FAILURE, subject, actual=inquiry.asked_at, notes=notes, bearing=Bearing.ADVISORY
        )
    return open_(Reason.DIGEST_NOT_LOCATED)


def _read(value: Any) -> list[Inquiry]:
    if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != 1:
        raise _Malformed("not a record of this version")
    _only(value, ("format", "version", "inquiries"))
    items = value.get("inquiries")
    if not isinstance(items, list) or len(items) > INQUIRIES_MAX:
        raise _Malformed("inquiries")
    return [_inquiry(item) for item in items]


def _inquiry(item: Any) -> Inquiry:
    if not isinstance(item, dict):
        raise _Malformed("an inquiry is not an object")
    _only(item, _MEMBERS)
    _described(item)
    outcome = _text(item, "outcome")
    if outcome not in ("ANSWERED", "NOT_FOUND", "UNUSABLE", "UNREACHABLE"):
        raise _Malformed("outcome")
    asked_at = _text(item, "asked_at")
    if not _INSTANT.fullmatch(asked_at):
        raise _Malformed("asked_at")
    return Inquiry(_text(item, "node"), _text(item, "tx_id"), asked_at, outcome)


def _described(item: Mapping[str, Any]) -> None:
    """What the portal writes beside the four members that are read: short texts, and nothing else."""
    for member in ("family", "chain_id", "group_id"):
        if item.get(member):
            _text(item, member)
    title, answers = item.get("title", {}), item.get("answers", [])
    if not isinstance(title, dict) or not isinstance(answers, list) or len(answers) > FILES_MAX:
        raise _Malformed("title or answers")
    _only(title, ("zh", "en"))
    for language in title:
        _text(title, language)
    for answer in answers:
        if not isinstance(answer, dict):
            raise _Malformed("an answer is not an object")
        _only(answer, ("name", "sha256"))
        _text(answer, "name")
        _text(answer, "sha256")


def _only(value: Mapping[str, Any], names: Sequence[str]) -> None:
    strange = next((n for n in value if n not in names), None)
    if strange is not None:
        raise _Malformed(f"member {quote(strange, length=40)}")


def _text(item: Mapping[str, Any], member: str) -> str:
    value = item.get(member)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= TEXT_MAX:
        raise _Malformed(member)
    return value


def _bare(tx_id: str) -> str:
    return tx_id.lower().removeprefix("0x")
