"""FISCO BCOS 3.x: from the node's JSON answers to the check ladder (spec consortium-chains §6, §6.1).

Inputs are the answers of `getTransaction`, `getTransactionReceipt` and `getBlockByNumber` as separate files, bare or in
their JSON-RPC envelope, or the same inside a proof package. They are sorted into proofs, one per transaction: its receipt by
the transaction's hash, its block by the root that its path reaches. Blocks that belong to no transaction are links to a
checkpoint, or stand for themselves.

A JSON answer does not say which of the two suites its chain uses; the court's profile does. Without a profile both are
tried, and what matches is told, though nothing then rests on anything the court trusts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from ..exhibit import Source
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Examination, Outcome
from . import fisco3_records, ladder, node_answers
from .claimed import Claimed
from .fisco3_ethereum import submitted
from .fisco3_hashing import TRANSACTION_VERSIONS, Matched, header_hash, transaction_hash
from .fisco3_records import Header, Receipt, Transaction
from .fisco3_rungs import FAMILY, Proof, inclusion_of, path_of
from .sealers import SUITES, Suite, quorum, suite_of

Answers: TypeAlias = node_answers.Answers[Header, Transaction, Receipt]

READERS = node_answers.Family(
    FAMILY, fisco3_records.kind_of, fisco3_records.header, fisco3_records.transaction, fisco3_records.receipt
)

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
    return node_answers.looks_like(source, _MARKS)


def examine(sources: Sequence[Source], context: Context) -> Examination:
    answers = node_answers.read(sources, family=READERS, context=context)
    return Examination(
        findings=answers.findings, proofs=tuple(proofs_of(answers, context=context, claimed=Claimed()))
    )


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
    own = {id(h): _own_hash(h) for h in (*used, *links, *(h for _, h in orphans))}
    alone = {
        id(h)
        for h in node_answers.lonely(
            [h for _, h in orphans], [*used, *links], digest=lambda h: own[id(h)], parent=lambda h: h.parent
        )
        if h.number or h.hash not in first or h.hash != own[id(h)]  # the first block tells the chain
    }
    for name, header in orphans:
        if id(header) in alone:
            single = Proof(name, header=header, suite=header_suite(header) or SUITES[0], guessed=True)
            found.append((inclusion_of(single, claimed, successors=[], others=[])[0], None))
    return [ladder.proof(inclusion, profile=profile, context=context) for inclusion, profile in found]


def _own_hash(header: Header) -> bytes:
    return header_hash(header, algorithm=(header_suite(header) or SUITES[0]).hash)


# ── which records belong together ──────────────────────────────────────────────────────────────────────────────────────


def _sort(
    answers: Answers, context: Context, claimed: Claimed
) -> tuple[list[Proof], list[tuple[str, Header]]]:
    """Records -> proofs, and the headers that no proof uses."""
    receipts = list(answers.receipts)
    proofs: list[Proof] = []
    for name, answered in answers.transactions:
        transaction, taken = submitted(answered, claimed)
        mine = next((r for r in receipts if _receipt_of(r[1], transaction, answers)), None)
        if mine is not None:
            receipts.remove(mine)
        options = [
            _placed(
                _suited(
                    Proof(name, transaction=transaction, receipt=mine[1] if mine else None, matched=taken), profile, answers
                ),
                answers.headers,
                claimed,
            )
            for profile in _named(transaction, claimed, context) or (None,)
        ]
        proofs.append(options[0] if len(options) == 1 else min(options, key=lambda p: _distance(p, claimed)))
    for name, receipt in receipts:
        blocks = [h for _, h in answers.headers if h.number == receipt.block_number]
        lone = Proof(name, receipt=receipt, header=blocks[0] if blocks else None)
        suite = header_suite(lone.header) if lone.header else None
        proofs.append(replace(lone, suite=suite or SUITES[0], guessed=True))
    used = [p.header for p in proofs]
    return proofs, [(n, h) for n, h in answers.headers if h not in used]


def _named(transaction: Transaction, claimed: Claimed, context: Context) -> tuple[ChainProfile, ...]:
    """The court's profiles of the chain that the transaction names. An Ethereum transaction names none of this kind: then of the
    one that the package names, whose sealers must have signed and which must have pinned the block."""
    says = claimed if transaction.ethereum else transaction
    if says.chain_id is None:
        return ()
    return context.trust.chains_named(family=FAMILY, chain_id=says.chain_id, group_id=says.group_id)


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
    for suite in () if transaction.ethereum else tried:
        matched = _transaction_match(transaction, suite)
        if matched:
            return replace(proof, profile=profile, suite=suite, guessed=known is None, matched=matched)
    by_header = next((s for _, h in answers.headers if (s := header_suite(h))), None)
    return replace(proof, profile=profile, suite=known or by_header or SUITES[0], guessed=known is None)


def _transaction_match(transaction: Transaction, suite: Suite) -> Matched | None:
    if transaction.version not in TRANSACTION_VERSIONS or transaction.missing or transaction.hash is None:
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
