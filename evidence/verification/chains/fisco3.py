"""FISCO BCOS 3.x: from the node's JSON answers to the check ladder (spec consortium-chains §6, §6.1).

Inputs are the answers of `getTransaction`, `getTransactionReceipt` and `getBlockByNumber` as separate files, bare or in
their JSON-RPC envelope, or the same inside a proof package. They are sorted into proofs, one per transaction: its receipt by
the transaction's hash, its block by the root that its path reaches. Blocks that belong to no transaction are links to a
checkpoint, or stand for themselves.

A JSON answer does not say which of the two suites its chain uses; the court's profile does. Without a profile both are
tried, and what matches is told, though nothing then rests on anything the court trusts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import digests, merkle
from ..codecs import strict_json
from ..codecs.text import CodecError, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Bearing, Examination, Finding, Outcome, ProvenTime, failed, indeterminate, passed
from . import abi, fisco3_records, ladder
from .fisco3_execution import BINARY_TREE_SINCE, Executed, execution
from .fisco3_finality import SUITES, Anchored, Quorum, Suite, checkpoint, quorum, signer, suite_of
from .fisco3_hashing import TRANSACTION_VERSIONS, Matched, header_hash, transaction_hash
from .fisco3_records import Header, Kind, Receipt, Transaction, address
from .location import Place

FAMILY = "fisco3"
ANSWER_BYTES_MAX = 64 << 20
"""One file, as for a proof package (spec §2 rule 6)."""
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a file is recognised: a header may stand behind its transaction list."""
ADDRESS_BYTES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a proof package says beside the node's answers: data, compared with them and with the profile."""

    chain_id: str | None = None
    group_id: str | None = None
    genesis_hash: bytes | None = None
    tx_hashes: tuple[bytes, ...] | None = None
    receipt_hashes: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Proof:
    """The records of one transaction, or of one block that no transaction belongs to."""

    source: str
    transaction: Transaction | None = None
    receipt: Receipt | None = None
    header: Header | None = None
    matched: Matched | None = None
    profile: ChainProfile | None = None
    suite: Suite = field(default=SUITES[0])
    guessed: bool = False


def examine(sources: Sequence[Source], context: Context) -> Examination:
    return examine_answers(read(sources, context), context=context, claimed=Claimed())


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
            answer = fisco3_records.unwrap(strict_json.loads(data))
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
        except fisco3_records.LimitError as fault:
            findings.append(_unread(Reason.RESOURCE_LIMIT, name, str(fault)))
        except CodecError as fault:
            findings.append(_unread(Reason.FORMAT_FAILURE, name, str(fault)))
    return Answers(tuple(headers), tuple(transactions), tuple(receipts), tuple(findings))


def examine_answers(answers: Answers, *, context: Context, claimed: Claimed) -> Examination:
    """Records -> one ladder per transaction, and one per block that stands alone."""
    proofs, orphans = _sort(answers, context, claimed)
    used = [p.header for p in proofs if p.header is not None]
    single_chain = len({(p.transaction.chain_id, p.transaction.group_id) for p in proofs if p.transaction}) <= 1
    examinations = [Examination(findings=answers.findings)]
    links: list[Header] = []
    for proof in proofs:
        inclusion, anchored = _inclusion(
            proof,
            claimed,
            # In an exhibit of several chains a stray header may belong to another one: then it refutes nothing.
            successors=[h for _, h in orphans] if single_chain else [],
            others=used if single_chain else [*used, *(h for _, h in orphans)],
        )
        links += anchored.links
        examinations.append(ladder.examine(inclusion, context=context, profile=proof.profile))
    for name, header in orphans:
        if header not in links:
            alone = _Proof(name, header=header, suite=_header_suite(header) or SUITES[0], guessed=True)
            inclusion, _ = _inclusion(alone, claimed, successors=[], others=[])
            examinations.append(ladder.examine(inclusion, context=context, profile=None))
    return Examination(
        findings=tuple(f for e in examinations for f in e.findings),
        walks=tuple(w for e in examinations for w in e.walks),
        claims=(),
        not_proven=tuple(dict.fromkeys(n for e in examinations for n in e.not_proven)),
    )


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
    read_ = records(found)
    return replace(answers, transactions=read_.transactions, findings=(*answers.findings, *read_.findings))


# ── which records belong together ──────────────────────────────────────────────────────────────────────────────────────


def _sort(
    answers: Answers, context: Context, claimed: Claimed
) -> tuple[list[_Proof], list[tuple[str, Header]]]:
    """Records -> proofs, and the headers that no proof uses."""
    receipts = list(answers.receipts)
    proofs: list[_Proof] = []
    for name, transaction in answers.transactions:
        proof = _suited(_Proof(name, transaction=transaction), answers, context)
        mine = next((r for r in receipts if _receipt_of(r[1], transaction, answers)), None)
        if mine is not None:
            receipts.remove(mine)
        receipt = mine[1] if mine else None
        header = _block_of(proof, receipt, answers.headers, claimed)
        proofs.append(replace(proof, receipt=receipt, header=header))
    for name, receipt in receipts:
        blocks = [h for _, h in answers.headers if h.number == receipt.block_number]
        lone = _Proof(name, receipt=receipt, header=blocks[0] if blocks else None)
        suite = _header_suite(lone.header) if lone.header else None
        proofs.append(replace(lone, suite=suite or SUITES[0], guessed=True))
    used = [p.header for p in proofs]
    return proofs, [(n, h) for n, h in answers.headers if h not in used]


def _suited(proof: _Proof, answers: Answers, context: Context) -> _Proof:
    """Profile and suite of a transaction's chain; without a profile, the suite under which its records hold."""
    transaction = proof.transaction
    if transaction is None:
        return proof
    profile = (
        context.trust.chain(family=FAMILY, chain_id=transaction.chain_id, group_id=transaction.group_id)
        if transaction.chain_id is not None
        else None
    )
    known = suite_of(profile) if profile else None
    tried = (known,) if known else SUITES
    for suite in tried:
        matched = _transaction_match(transaction, suite)
        if matched:
            return replace(proof, profile=profile, suite=suite, guessed=known is None, matched=matched)
    by_header = next((s for _, h in answers.headers if (s := _header_suite(h))), None)
    return replace(proof, profile=profile, suite=known or by_header or SUITES[0], guessed=known is None)


def _transaction_match(transaction: Transaction, suite: Suite) -> Matched | None:
    readable = transaction.version in TRANSACTION_VERSIONS and not transaction.ethereum
    if not readable or transaction.missing or transaction.hash is None:
        return None
    return transaction_hash(transaction, algorithm=suite.hash)


def _header_suite(header: Header) -> Suite | None:
    return next((s for s in SUITES if header_hash(header, algorithm=s.hash) == header.hash), None)


def _receipt_of(receipt: Receipt, transaction: Transaction, answers: Answers) -> bool:
    if receipt.transaction_hash is None:
        return len(answers.transactions) == 1
    return receipt.transaction_hash == transaction.hash


def _block_of(
    proof: _Proof, receipt: Receipt | None, headers: Sequence[tuple[str, Header]], claimed: Claimed
) -> Header | None:
    """The block whose root the transaction reaches; else the one that its receipt names; else the only or lowest one.

    So that a path that reaches nothing is measured against some block, and fails there, instead of going unanswered.
    """
    for _, header in headers:
        finding, _ = _path(proof, header, claimed, "")
        if finding.outcome is Outcome.PASSED:
            return header
    named = [h for _, h in headers if receipt is not None and h.number == receipt.block_number]
    ordered = named or sorted((h for _, h in headers), key=lambda h: h.number)
    return ordered[0] if ordered else None


# ── one proof, rung by rung ────────────────────────────────────────────────────────────────────────────────────────────


def _inclusion(
    proof: _Proof, claimed: Claimed, *, successors: Sequence[Header], others: Sequence[Header]
) -> tuple[ladder.Inclusion, Anchored]:
    t, header, suite = proof.transaction, proof.header, proof.suite
    tx_id = t.hash if t else proof.receipt.transaction_hash if proof.receipt else None
    subject = f"{FAMILY} · {proof.source} · " + (f"tx {ladder.short(tx_id)}" if tx_id else "block")
    x = _transaction(proof, subject)
    path, place = _path(proof, header, claimed, subject)
    digest = header_hash(header, algorithm=suite.hash) if header else None
    h = _header(header, digest, subject)
    if header is None or digest is None:
        q = Quorum(indeterminate(ladder.NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, subject), "–")
        c = Anchored(indeterminate(ladder.ROOT, Reason.ANCHOR_UNAVAILABLE, subject))
    else:
        holds = h.outcome is Outcome.PASSED
        q = quorum(header, digest, subject=subject, suite=suite, profile=proof.profile, header_holds=holds)
        c = checkpoint(
            header,
            digest,
            subject=subject,
            suite=suite,
            profile=proof.profile,
            successors=successors,
            others=[o for o in others if o is not header],
        )
    call, call_notes = _call(t, proof.profile)
    e = execution(
        proof.receipt,
        transaction=t,
        call=call,
        transaction_path=place,
        receipt_hashes=claimed.receipt_hashes,
        header=header,
        suite=suite,
        profile=proof.profile,
        subject=subject,
    )
    return (
        ladder.Inclusion(
            subject=subject,
            ledger_kind=_ledger_kind(proof, claimed, digest, subject, call_notes),
            transaction=x,
            sender=_sender(t, proof.matched, suite, subject),
            path=path,
            header=h,
            node_quorum=q.finding,
            root=c.finding,
            execution=e.finding,
            places=_places(t, call, e),
            tx_id="0x" + tx_id.hex() if tx_id else None,
            leaf=proof.matched.hash if proof.matched else None,
            merkle_root=header.txs_root if header else None,
            block_hash=digest,
            height=header.number if header else None,
            time=_time(header),
            quorum_label=q.label,
            signers=q.operators,
            court_run=q.court_run,
            checkpoint=c.checkpoint,
        ),
        c,
    )


def _ledger_kind(
    proof: _Proof, claimed: Claimed, digest: bytes | None, subject: str, notes: tuple[str, ...]
) -> Finding:
    """Step 0: the family is read; does the court know this chain, and is it the chain that the exhibit says?"""
    check, profile, t = ladder.LEDGER_KIND, proof.profile, proof.transaction
    if proof.guessed and (proof.matched or proof.header):
        notes = (*notes, f"SUITE_GUESSED:{proof.suite.hash}")
    said = f"{t.chain_id or '–'} / {t.group_id or '–'}" if t else "–"
    for name, in_answer, in_package in (
        ("chain_id", t.chain_id if t else None, claimed.chain_id),
        ("group_id", t.group_id if t else None, claimed.group_id),
    ):
        if in_answer is not None and in_package is not None and in_answer != in_package:
            return failed(check, Reason.CERT_FIELDS_CONFLICT, subject, expected=in_answer, actual=f"{name} {in_package}")
    if profile is None:
        return indeterminate(check, Reason.ANCHOR_UNTRUSTED, subject, actual=said, notes=notes)
    if suite_of(profile) is None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=f"{profile.hash} {profile.signature}")
    genesis = digest if proof.header is not None and proof.header.number == 0 else claimed.genesis_hash
    if profile.genesis_hash and genesis and profile.genesis_hash != genesis:
        return failed(
            check, Reason.ANCHOR_MISMATCH, subject, expected=profile.genesis_hash.hex(), actual=genesis.hex()
        )
    return passed(check, subject, expected=profile.id, actual=said, notes=notes)


def _transaction(proof: _Proof, subject: str) -> Finding:
    """Step X."""
    check, t, matched = ladder.TRANSACTION, proof.transaction, proof.matched
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if t.ethereum:
        # Its hash is that of the signed Ethereum envelope, which the node's answer does not carry.
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, notes=("ETHEREUM_TRANSACTION",))
    if t.version not in TRANSACTION_VERSIONS:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=f"version {t.version}")
    if t.missing or t.hash is None:
        absent = ", ".join((*t.missing, *(() if t.hash else ("hash",))))
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, actual=absent)
    if matched is None:
        return failed(check, Reason.HASH_FAILURE, subject, expected=t.hash.hex(), notes=(f"HASHED_WITH:{proof.suite.hash}",))
    if matched.ambiguous:
        return indeterminate(check, Reason.AMBIGUOUS_PREIMAGE, subject, actual=matched.hash.hex())
    notes = (f"RENDERING_USED:{matched.rendering}",) if matched.rendering else ()
    return passed(check, subject, expected=t.hash.hex(), actual=matched.hash.hex(), notes=notes)


def _sender(t: Transaction | None, matched: Matched | None, suite: Suite, subject: str) -> Finding:
    """Step S. Neither signature nor sender is under the transaction's hash: they are checked over it, on their own."""
    check = ladder.SENDER
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if matched is None:
        return indeterminate(check, Reason.TX_INCOMPLETE, subject)
    if t.signature is None or t.sender is None:
        return indeterminate(check, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    key = signer(t.signature, matched.hash, suite=suite)
    if key is None:
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject)
    derived = digests.digest(suite.hash, key)[-ADDRESS_BYTES:]
    expected, actual = "0x" + derived.hex(), "0x" + t.sender.hex()
    if derived != t.sender:
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    return passed(check, subject, expected=expected, actual=actual)


def _path(
    proof: _Proof, header: Header | None, claimed: Claimed, subject: str
) -> tuple[Finding, merkle.GroupedPath | None]:
    """Step R: the node's path, and where none is usable, all transaction hashes of the block."""
    check, t = ladder.PATH, proof.transaction
    if header is None or t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject), None
    if proof.matched is None:
        return indeterminate(check, _transaction(proof, subject).reason or Reason.TX_INCOMPLETE, subject), None
    leaf, root, algorithm = proof.matched.hash, header.txs_root, proof.suite.hash
    expected = root.hex()
    trusted = header.version >= BINARY_TREE_SINCE
    missed: str | None = None
    if t.path.items is not None:
        try:
            walked = merkle.grouped_path(leaf, t.path.items, algorithm=algorithm)
            if walked.root == root:
                return passed(check, subject, expected=expected, actual=walked.root.hex()), walked
            missed = walked.root.hex()
        except merkle.PathError as fault:
            missed = str(fault)
        if trusted:
            return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, actual=missed), None
    elif leaf == root:
        # "One transaction: the root is its hash."
        return passed(check, subject, expected=expected, actual=leaf.hex()), merkle.GroupedPath(leaf, ())
    listed = header.tx_hashes or claimed.tx_hashes
    if listed:
        rebuilt = merkle.grouped_root(listed, algorithm=algorithm)
        if rebuilt == root and leaf in listed:
            place = merkle.GroupedPath(root, merkle.grouped_positions(listed.index(leaf), len(listed)))
            note = f"RECOMPUTED_FROM_LEAVES:{len(listed)}"
            return passed(check, subject, expected=expected, actual=rebuilt.hex(), notes=(note,)), place
        return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, actual=rebuilt.hex()), None
    if missed is not None or t.path.defective:
        return indeterminate(check, Reason.PROOF_UNUSABLE, subject, expected=expected, actual=missed), None
    return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, expected=expected), None


def _header(header: Header | None, digest: bytes | None, subject: str) -> Finding:
    """Step H."""
    check = ladder.HEADER
    if header is None or digest is None or header.hash is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if header.hash != digest:
        return failed(check, Reason.HASH_FAILURE, subject, expected=header.hash.hex(), actual=digest.hex())
    return passed(check, subject, expected=header.hash.hex(), actual=digest.hex())


def _call(t: Transaction | None, profile: ChainProfile | None) -> tuple[abi.Call | None, tuple[str, ...]]:
    """The evidence call in the transaction, of a method that is known or that the court has mapped."""
    if t is None or not t.to or not t.input:
        return None, ()
    mapped = [c.method for c in profile.contracts if address(c.name) == address(t.to)] if profile else []
    further = [m for m in mapped if m not in abi.METHODS]
    try:
        call = abi.call(t.input, further=further)
    except CodecError:
        return None, ("CALL_NOT_CANONICAL",)
    return call, (f"METHOD_FOUND:{call.signature}",) if call else ()


def _places(t: Transaction | None, call: abi.Call | None, e: Executed) -> tuple[Place, ...] | None:
    """Where a digest may stand: the call's parameters, what its contract logged, and the input as bytes."""
    if t is None or t.ethereum or t.missing or t.input is None:
        return None
    contract = address(t.to or "") or "–"
    parameters = (
        tuple(Place(contract, call.signature, key, value) for key, value in call.parameters) if call else ()
    )
    return (*parameters, *e.events, Place(contract, "input", "data", t.input))


def _time(header: Header | None) -> ProvenTime | None:
    """The proposer's clock, in milliseconds."""
    if header is None:
        return None
    try:
        return ProvenTime(_EPOCH + timedelta(milliseconds=header.timestamp), "PROPOSER")
    except OverflowError:
        return None
