"""The files of one exhibit that hold answers of FISCO BCOS nodes, 2.x or 3.x: read, told apart, and brought together.

Inputs are headers (or whole blocks), transactions and receipts as separate files, bare or in their JSON-RPC envelope, or the same
inside a proof package. What a family makes of them is its own affair; here they are only sorted by kind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from .. import digests
from ..codecs import strict_json
from ..codecs.text import CodecError, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Finding, failed, indeterminate
from .ladder import LEDGER_KIND
from .links import unlinked
from .node_json import LimitError, strange, unwrap

MEMBERS = "NODE.MEMBERS"
PROOFS_MAX = 200
"""Transactions of whole blocks that are examined: four times as many as an exhibit may hold files."""
ANSWER_BYTES_MAX = 64 << 20
"""One file, as for a proof package (spec §2 rule 6)."""
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a file is recognised: a header may stand behind its transaction list."""


class Kind(StrEnum):
    HEADER = "block"
    TRANSACTION = "transaction"
    RECEIPT = "receipt"


class ListedHeader(Protocol):
    """A header that may carry the list of its block's transactions."""

    @property
    def tx_hashes(self) -> tuple[bytes, ...] | None: ...
    @property
    def transactions(self) -> tuple[Mapping[str, Any], ...]: ...


class NamedReceipt(Protocol):
    @property
    def transaction_hash(self) -> bytes | None: ...


H = TypeVar("H", bound=ListedHeader)
T = TypeVar("T")
R = TypeVar("R", bound=NamedReceipt)


@dataclass(frozen=True, slots=True)
class Family(Generic[H, T, R]):
    """How one family reads its answers: CodecError for a value of the wrong form."""

    name: str
    kind_of: Callable[[Mapping[str, Any]], Kind | None]
    header: Callable[[Mapping[str, Any]], H]
    transaction: Callable[[Mapping[str, Any]], T]
    receipt: Callable[[Mapping[str, Any]], R]


@dataclass(frozen=True, slots=True)
class Answers(Generic[H, T, R]):
    """What was read: each record with the name of the file it came from."""

    headers: tuple[tuple[str, H], ...] = ()
    transactions: tuple[tuple[str, T], ...] = ()
    receipts: tuple[tuple[str, R], ...] = ()
    findings: tuple[Finding, ...] = ()
    """Files that could not be read."""


def looks_like(source: Source, marks: Iterable[Sequence[bytes]]) -> int:
    """The score of a JSON object that holds all the member names of one of the marks, however broken it may be otherwise."""
    head = source.head(LOOK_BYTES)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or b'"mingjian.chain-proof"' in head:
        return 0
    look = head + source.tail(LOOK_BYTES)
    return 90 if any(all(name in look for name in names) for names in marks) else 0


def read(sources: Iterable[Source], *, family: Family[H, T, R], context: Context) -> Answers[H, T, R]:
    """Files -> records. A file that is not strict JSON, or holds a value of the wrong form, becomes a finding."""
    answers: list[tuple[str, Mapping[str, Any]]] = []
    findings: list[Finding] = []
    for source in sources:
        data = source.read(ANSWER_BYTES_MAX)
        if data is None:
            findings.append(unread(family.name, Reason.RESOURCE_LIMIT, source.name))
            continue
        try:
            whole = strict_json.loads(data)
            answer = unwrap(whole)
        except strict_json.JsonError as fault:
            findings.append(unread(family.name, Reason.FORMAT_FAILURE, source.name, str(fault)))
            continue
        if answer is None or family.kind_of(answer) is None:
            findings.append(unread(family.name, Reason.UNSUPPORTED_FORMAT, source.name))
            continue
        if answer is not whole:
            findings += _unread_members(family.name, source.name, dict.fromkeys(whole))
        answers.append((source.name, answer))
    found = records(answers, family=family)
    found = replace(found, findings=(*findings, *found.findings))
    return found if found.transactions else _with_listed_transactions(found, family, context)


def records(answers: Iterable[tuple[str, Mapping[str, Any]]], *, family: Family[H, T, R]) -> Answers[H, T, R]:
    """Node answers with the names of their files -> records."""
    headers: list[tuple[str, H]] = []
    transactions: list[tuple[str, T]] = []
    receipts: list[tuple[str, R]] = []
    findings: list[Finding] = []
    for name, answer in answers:
        findings += _unread_members(family.name, name, answer)
        try:
            match family.kind_of(answer):
                case Kind.HEADER:
                    headers.append((name, family.header(answer)))
                case Kind.TRANSACTION:
                    transactions.append((name, family.transaction(answer)))
                case Kind.RECEIPT:
                    receipt = family.receipt(answer)
                    if all(receipt != other for _, other in receipts):  # the same file handed in twice is one receipt
                        receipts.append((name, receipt))
                case None:
                    findings.append(unread(family.name, Reason.UNSUPPORTED_FORMAT, name))
        except LimitError as fault:
            findings.append(unread(family.name, Reason.RESOURCE_LIMIT, name, str(fault)))
        except CodecError as fault:
            findings.append(unread(family.name, Reason.FORMAT_FAILURE, name, str(fault)))
    return Answers(tuple(headers), tuple(transactions), tuple(receipts), tuple(findings))


def _unread_members(family: str, name: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Whoever reads the file sees these members too; the engine read nothing from them, and says so."""
    if names := strange(answer):
        yield indeterminate(
            MEMBERS,
            Reason.UNSUPPORTED_FORMAT,
            f"{family} · {name}",
            notes=(f"UNREAD_MEMBERS:{', '.join(names)}",),
            bearing=Bearing.ADVISORY,
        )


def unread(family: str, reason: Reason, name: str, actual: str | None = None) -> Finding:
    maker = failed if reason is Reason.FORMAT_FAILURE else indeterminate
    return maker(LEDGER_KIND, reason, f"{family} · {name}", actual=actual, bearing=Bearing.DECISIVE)


def lonely(
    orphans: Sequence[H], used: Sequence[H], *, digest: Callable[[H], bytes], parent: Callable[[H], bytes]
) -> list[H]:
    """Headers that are neither a used block in another answer nor joined to one by their parents."""
    same = {digest(h) for h in used}
    left = [h for h in orphans if digest(h) not in same]
    names = unlinked({i: (digest(h), parent(h)) for i, h in enumerate(left)}, [(digest(h), parent(h)) for h in used])
    return [left[i] for i in names]


def _with_listed_transactions(
    answers: Answers[H, T, R], family: Family[H, T, R], context: Context
) -> Answers[H, T, R]:
    """A block with whole transactions, and no transaction of its own: those are read that the exhibit speaks of.

    Named by a receipt or a certificate, or carrying the digest of a content file; the others are strangers' records.
    """
    named = {r.transaction_hash for _, r in answers.receipts} - {None}
    claimed = {c.tx_id.lower().removeprefix("0x") for c in context.claims if c.tx_id}
    wanted = [s.digest(a) for s in context.content for a in digests.STRONG]
    needles = [form for d in wanted for form in (d, d.hex().encode())]
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, header in answers.headers:
        for listed, answer in zip(header.tx_hashes or (), header.transactions, strict=False):
            text = answer.get("input")
            try:
                body = hex_bytes(text.removeprefix("0x")) if isinstance(text, str) else b""
            except CodecError:
                continue
            carries = any(n in body or n in body.lower() for n in needles)
            if carries or listed in named or listed.hex() in claimed:
                found.append((name, answer))
    read_ = records(found[:PROOFS_MAX], family=family)
    findings = [*answers.findings, *read_.findings]
    if len(found) > PROOFS_MAX:
        findings.append(unread(family.name, Reason.RESOURCE_LIMIT, found[0][0], f"{len(found)} transactions"))
    return replace(answers, transactions=read_.transactions, findings=tuple(findings))
