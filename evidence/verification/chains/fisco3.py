"""FISCO BCOS 3.x: from the node's JSON answers to the check ladder (spec consortium-chains §6, §6.1).

Inputs are the answers of `getTransaction`, `getTransactionReceipt` and `getBlockByNumber` as separate files, bare or in
their JSON-RPC envelope, or the same inside a proof package. They are sorted into proofs, one per transaction: its receipt by
the transaction's hash, its block by the root that its path reaches. Blocks that belong to no transaction are links to a
checkpoint, or stand for themselves.

A JSON answer does not say which of the two suites its chain uses; the court's profile does. Without a profile both are
tried, and what matches is told, though nothing then rests on anything the court trusts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import digests
from ..codecs import strict_json
from ..codecs.text import CodecError, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Bearing, Examination, Finding, Outcome, failed, indeterminate
from . import fisco3_records, ladder
from .claimed import Claimed
from .fisco3_hashing import TRANSACTION_VERSIONS, Matched, header_hash, header_preimage, transaction_hash
from .fisco3_records import Header, Kind, Receipt, Transaction
from .fisco3_rungs import FAMILY, Proof, inclusion_of, path_of
from .links import unlinked
from .node_json import LimitError, unwrap
from .sealers import SUITES, Suite, quorum, suite_of

PROOFS_MAX = 200
"""Transactions of whole blocks that are examined: four times as many as an exhibit may hold files."""
ANSWER_BYTES_MAX = 64 << 20
"""One file, as for a proof package (spec §2 rule 6)."""
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a file is recognised: a header may stand behind its transaction list."""

_MARKS = (
    (b'"txsRoot"', b'"receiptsRoot"'),
    (b'"chainID"', b'"input"'),
    (b'"chainID"', b'"nonce"'),
    (b'"groupID"', b'"input"'),
    (b'"logEntries"', b'"transactionHash"', b'"gasUsed"'),
)
"""Member names that a header, a transaction or a receipt of this family has together; 2.x and Ethereum spell them otherwise."""


def sniff(source: Source) -> int:
    """A JSON object with the member names of one of the three answers, however broken it may be otherwise."""
    head = source.head(LOOK_BYTES)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or b'"mingjian.chain-proof"' in head:
        return 0
    look = head + source.tail(LOOK_BYTES)
    return 90 if any(all(name in look for name in marks) for marks in _MARKS) else 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What was read: each record with the name of the file it came from."""

    headers: tuple[tuple[str, Header], ...] = ()
    transactions: tuple[tuple[str, Transaction], ...] = ()
    receipts: tuple[tuple[str, Receipt], ...] = ()
    findings: tuple[Finding, ...] = ()
    """Files that could not be read."""


def examine(sources: Sequence[Source], context: Context) -> Examination:
    answers = read(sources, context)
    return Examination(
        findings=answers.findings, proofs=tuple(proofs_of(answers, context=context, claimed=Claimed()))
    )


def read(sources: Iterable[Source], context: Context) -> Answers:
    """Files -> records. A file that is not strict JSON, or holds a value of the wrong form, becomes a finding."""
    answers: list[tuple[str, Mapping[str, Any]]] = []
    findings: list[Finding] = []
    for source in sources:
        data = source.read(ANSWER_BYTES_MAX)
        if data is None:
            findings.append(_unread(Reason.RESOURCE_LIMIT, source.name))
            continue
        try:
            answer = unwrap(strict_json.loads(data))
        except strict_json.JsonError as fault:
            findings.append(_unread(Reason.FORMAT_FAILURE, source.name, str(fault)))
            continue
        if answer is None or fisco3_records.kind_of(answer) is None:
            findings.append(_unread(Reason.UNSUPPORTED_FORMAT, source.name))
            continue
        answers.append((source.name, answer))
    found = records(answers)
    found = replace(found, findings=(*findings, *found.findings))
    return found if found.transactions else _with_listed_transactions(found, context)


def records(answers: Iterable[tuple[str, Mapping[str, Any]]]) -> Answers:
    """Node answers with the names of their files -> records."""
    headers: list[tuple[str, Header]] = []
    transactions: list[tuple[str, Transaction]] = []
    receipts: list[tuple[str, Receipt]] = []
    findings: list[Finding] = []
    for name, answer in answers:
        try:
            match fisco3_records.kind_of(answer):
                case Kind.HEADER:
                    headers.append((name, fisco3_records.header(answer)))
                case Kind.TRANSACTION:
                    transactions.append((name, fisco3_records.transaction(answer)))
                case Kind.RECEIPT:
                    receipts.append((name, fisco3_records.receipt(answer)))
                case None:
                    findings.append(_unread(Reason.UNSUPPORTED_FORMAT, name))
        except LimitError as fault:
            findings.append(_unread(Reason.RESOURCE_LIMIT, name, str(fault)))
        except CodecError as fault:
            findings.append(_unread(Reason.FORMAT_FAILURE, name, str(fault)))
    return Answers(tuple(headers), tuple(transactions), tuple(receipts), tuple(findings))


def proofs_of(answers: Answers, *, context: Context, claimed: Claimed) -> list[ladder.Proof]:
    """Records -> one proof per transaction, and one per block that stands alone."""
    proofs, orphans = _sort(answers, context, claimed)
    used = [p.header for p in proofs if p.header is not None]
    chains = {
        (p.profile.id if p.profile else None, p.transaction.chain_id, p.transaction.group_id)
        for p in proofs
        if p.transaction
    }
    single_chain = len(chains) <= 1
    links: list[Header] = []
    found: list[tuple[ladder.Inclusion, ChainProfile | None]] = []
    for proof in proofs:
        inclusion, anchored = inclusion_of(
            proof,
            claimed,
            # In an exhibit of several chains a stray header may belong to another one: then it refutes nothing.
            successors=[h for _, h in orphans] if single_chain else [],
            others=used if single_chain else [*used, *(h for _, h in orphans)],
        )
        links += anchored.links
        found.append((inclusion, proof.profile))
    first = {p.profile.genesis_hash for p in proofs if p.profile}
    lonely = [
        h
        for h in _lonely(orphans, [*used, *links])
        if h.number or h.hash not in first or header_suite(h) is None  # the first block tells the chain
    ]
    for name, header in orphans:
        if any(header is h for h in lonely):
            alone = Proof(name, header=header, suite=header_suite(header) or SUITES[0], guessed=True)
            found.append((inclusion_of(alone, claimed, successors=[], others=[])[0], None))
    return [ladder.proof(inclusion, profile=profile, context=context) for inclusion, profile in found]


def _lonely(orphans: Sequence[tuple[str, Header]], used: Sequence[Header]) -> list[Header]:
    """Headers that are neither a used block in another answer nor joined to one by their parents."""

    def ends(header: Header) -> tuple[bytes, bytes]:
        suite = header_suite(header) or SUITES[0]
        digest = header_hash(header, algorithm=suite.hash)
        return digest, header.parent

    same = {header_preimage(h) for h in used}
    left = [h for _, h in orphans if header_preimage(h) not in same]
    names = unlinked({i: ends(h) for i, h in enumerate(left)}, [ends(h) for h in used])
    return [left[i] for i in names]


def _unread(reason: Reason, name: str, actual: str | None = None) -> Finding:
    maker = failed if reason is Reason.FORMAT_FAILURE else indeterminate
    return maker(ladder.LEDGER_KIND, reason, f"{FAMILY} · {name}", actual=actual, bearing=Bearing.DECISIVE)


def _with_listed_transactions(answers: Answers, context: Context) -> Answers:
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
    read_ = records(found[:PROOFS_MAX])
    findings = [*answers.findings, *read_.findings]
    if len(found) > PROOFS_MAX:
        findings.append(_unread(Reason.RESOURCE_LIMIT, found[0][0], f"{len(found)} transactions"))
    return replace(answers, transactions=read_.transactions, findings=tuple(findings))


# ── which records belong together ──────────────────────────────────────────────────────────────────────────────────────


def _sort(
    answers: Answers, context: Context, claimed: Claimed
) -> tuple[list[Proof], list[tuple[str, Header]]]:
    """Records -> proofs, and the headers that no proof uses."""
    receipts = list(answers.receipts)
    proofs: list[Proof] = []
    for name, transaction in answers.transactions:
        mine = next((r for r in receipts if _receipt_of(r[1], transaction, answers)), None)
        if mine is not None:
            receipts.remove(mine)
        options = [
            _placed(
                _suited(Proof(name, transaction=transaction, receipt=mine[1] if mine else None), profile, answers),
                answers.headers,
                claimed,
            )
            for profile in _named(transaction, context) or (None,)
        ]
        proofs.append(options[0] if len(options) == 1 else min(options, key=lambda p: _distance(p, claimed)))
    for name, receipt in receipts:
        blocks = [h for _, h in answers.headers if h.number == receipt.block_number]
        lone = Proof(name, receipt=receipt, header=blocks[0] if blocks else None)
        suite = header_suite(lone.header) if lone.header else None
        proofs.append(replace(lone, suite=suite or SUITES[0], guessed=True))
    used = [p.header for p in proofs]
    return proofs, [(n, h) for n, h in answers.headers if h not in used]


def _named(transaction: Transaction, context: Context) -> tuple[ChainProfile, ...]:
    """The court's profiles of the chain that the transaction names."""
    if transaction.chain_id is None:
        return ()
    return context.trust.chains_named(
        family=FAMILY, chain_id=transaction.chain_id, group_id=transaction.group_id
    )


def _placed(proof: Proof, headers: Sequence[tuple[str, Header]], claimed: Claimed) -> Proof:
    return replace(proof, header=_block_of(proof, proof.receipt, headers, claimed))


def _distance(proof: Proof, claimed: Claimed) -> int:
    """Of several chains of one name: 0 for the one that has pinned the block or whose validators signed it, 1 for one that it
    does not contradict, 2 for one that it does."""
    profile, header = proof.profile, proof.header
    if profile is None or header is None:
        return 1
    if profile.genesis_hash and claimed.genesis_hash and profile.genesis_hash != claimed.genesis_hash:
        return 2
    digest = header_hash(header, algorithm=proof.suite.hash)
    pin = profile.checkpoint_at(header.number)
    if pin is not None:
        return 0 if pin.hash == digest else 2
    signed = quorum(header, digest, subject="", suite=proof.suite, profile=profile, header_holds=True)
    return (Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED).index(signed.finding.outcome)


def _suited(proof: Proof, profile: ChainProfile | None, answers: Answers) -> Proof:
    """The suite of a transaction's chain; without a profile, the suite under which its records hold."""
    transaction = proof.transaction
    if transaction is None:
        return proof
    known = suite_of(profile) if profile else None
    tried = (known,) if known else SUITES
    for suite in tried:
        matched = _transaction_match(transaction, suite)
        if matched:
            return replace(proof, profile=profile, suite=suite, guessed=known is None, matched=matched)
    by_header = next((s for _, h in answers.headers if (s := header_suite(h))), None)
    return replace(proof, profile=profile, suite=known or by_header or SUITES[0], guessed=known is None)


def _transaction_match(transaction: Transaction, suite: Suite) -> Matched | None:
    readable = transaction.version in TRANSACTION_VERSIONS and not transaction.ethereum
    if not readable or transaction.missing or transaction.hash is None:
        return None
    return transaction_hash(transaction, algorithm=suite.hash)


def header_suite(header: Header) -> Suite | None:
    return next((s for s in SUITES if header_hash(header, algorithm=s.hash) == header.hash), None)


def _receipt_of(receipt: Receipt, transaction: Transaction, answers: Answers) -> bool:
    if receipt.transaction_hash is None:
        return len(answers.transactions) == 1
    return receipt.transaction_hash == transaction.hash


def _block_of(
    proof: Proof, receipt: Receipt | None, headers: Sequence[tuple[str, Header]], claimed: Claimed
) -> Header | None:
    """The block whose root the transaction reaches; else the one that its receipt names; else the only or lowest one.

    So that a path that reaches nothing is measured against some block, and fails there, instead of going unanswered.
    """
    for _, header in headers:
        finding, _ = path_of(proof, header, claimed, "")
        if finding.outcome is Outcome.PASSED:
            return header
    named = [h for _, h in headers if receipt is not None and h.number == receipt.block_number]
    ordered = named or sorted((h for _, h in headers), key=lambda h: h.number)
    return ordered[0] if ordered else None
