"""FISCO BCOS 2.x, ECDSA and guomi: from the node's JSON answers to the check ladder (spec consortium-chains §5, §6.1).

Inputs are the answers of `getTransactionByHashWithProof`, `getTransactionReceiptByHashWithProof` and `getBlockHeaderByNumber` (or a
whole block) as separate files, bare or in their JSON-RPC envelope, or the same inside a proof package. They are sorted into proofs,
one per transaction: its receipt by the transaction's hash, its block by the root that its path reaches. Blocks that belong to no
transaction are links to a checkpoint, or stand for themselves.

An answer does not say which of the two suites its chain uses; the court's profile does. Nor does a header name its chain, or a
transaction of a node before 2.7.0: then the profile is the one whose sealers signed the block, if there is one. That identifies the
sealers, not the group: groups may share them. Only a transaction that names its chain and group under its own hash goes further.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from ..exhibit import Source
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Examination, Outcome
from . import fisco2_records, ladder, node_answers
from .claimed import Claimed
from .fisco2_hashing import Matched, header_hash, transaction_hash
from .fisco2_records import Header, Receipt, Transaction
from .fisco2_rungs import FAMILY, Proof, inclusion_of, path_of
from .sealers import SUITES, Suite, quorum, suite_of

Answers: TypeAlias = node_answers.Answers[Header, Transaction, Receipt]

READERS = node_answers.Family(
    FAMILY, fisco2_records.kind_of, fisco2_records.header, fisco2_records.transaction, fisco2_records.receipt
)

_MARKS = (
    (b'"transactionsRoot"', b'"dbHash"', b'"sealerList"'),
    (b'"transaction"', b'"txProof"', b'"left"'),
    (b'"receiptProof"', b'"left"', b'"right"'),
    (b'"transactionReceipt"', b'"logsBloom"'),
    (b'"blockLimit"', b'"groupId"', b'"chainId"'),
    (b'"logsBloom"', b'"transactionHash"', b'"output"', b'"root"'),
)
"""Member names that a header, a transaction or a receipt of this family has together; 3.x and Ethereum spell them otherwise."""

_NOT_OURS = (b'"txsRoot"', b'"chainID"', b'"groupID"', b'"logEntries"')
"""Names of 3.x, whose first versions wrote paths as 2.x does."""


def sniff(source: Source) -> int:
    """A JSON object with the member names of one of the answers, however broken it may be otherwise."""
    score = node_answers.looks_like(source, _MARKS)
    return 0 if score and node_answers.looks_like(source, [(name,) for name in _NOT_OURS]) else score


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
            single = _signed_by_known(Proof(name, header=header), header, context.trust.chains_of(FAMILY))
            found.append((inclusion_of(single, claimed, successors=[], others=[])[0], single.profile))
    return [ladder.proof(inclusion, profile=profile, context=context) for inclusion, profile in found]


def _own_hash(header: Header) -> bytes:
    return header_hash(header, algorithm=(header_suite(header) or SUITES[0]).hash)


def header_suite(header: Header) -> Suite | None:
    return next((s for s in SUITES if header_hash(header, algorithm=s.hash) == header.hash), None)


# ── which records belong together ──────────────────────────────────────────────────────────────────────────────────────


def _sort(answers: Answers, context: Context, claimed: Claimed) -> tuple[list[Proof], list[tuple[str, Header]]]:
    """Records -> proofs, and the headers that no proof uses."""
    receipts = list(answers.receipts)
    proofs: list[Proof] = []
    for name, transaction in answers.transactions:
        mine = next((r for r in receipts if _receipt_of(r[1], transaction, answers)), None)
        if mine is not None:
            receipts.remove(mine)
        receipt = mine[1] if mine else None
        if transaction.path is None and receipt is not None and receipt.tx_path is not None:
            transaction = replace(transaction, path=receipt.tx_path)
        options = [
            _placed(_suited(Proof(name, transaction=transaction, receipt=receipt), profile, answers), answers, claimed)
            for profile in _named(transaction, claimed, context) or (None,)
        ]
        best = options[0] if len(options) == 1 else min(options, key=lambda p: _distance(p, claimed))
        if best.profile is None and best.header is not None and transaction.chain_id is None:
            best = _signed_by_known(best, best.header, context.trust.chains_of(FAMILY))
        proofs.append(best)
    for name, receipt in receipts:
        lone = Proof(name, transaction=_spoken_of(receipt), receipt=receipt)
        lone = _placed(_suited(lone, None, answers), answers, claimed)
        if lone.header is not None:
            lone = _signed_by_known(lone, lone.header, context.trust.chains_of(FAMILY))
        proofs.append(lone)
    used = [p.header for p in proofs]
    return proofs, [(n, h) for n, h in answers.headers if h not in used]


def _spoken_of(receipt: Receipt) -> Transaction | None:
    """The transaction of a receipt that came alone, as far as its answer tells of it: a hash and a place, no content."""
    if receipt.transaction_hash is None or receipt.tx_path is None:
        return None
    return Transaction(
        nonce=0,
        gas_price=0,
        gas=0,
        block_limit=0,
        to=receipt.to if receipt.to and any(receipt.to) else None,
        value=0,
        input=receipt.input,
        chain_id=None,
        group_id=None,
        extra_data=b"",
        signature=None,
        hash=receipt.transaction_hash,
        sender=receipt.sender,
        index=receipt.index,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        path=receipt.tx_path,
        missing=("nonce", "signature"),
    )


def _named(transaction: Transaction, claimed: Claimed, context: Context) -> tuple[ChainProfile, ...]:
    """The court's profiles of the chain that the transaction names; where it names none, of the one that the package names."""
    chain_id = transaction.chain_id or claimed.chain_id
    if chain_id is None:
        return ()
    group_id = transaction.group_id or claimed.group_id
    return context.trust.chains_named(family=FAMILY, chain_id=chain_id, group_id=group_id)


def _placed(proof: Proof, answers: Answers, claimed: Claimed) -> Proof:
    """The block whose root the transaction reaches; else the one that transaction or receipt name; else the only or lowest one.

    So that a path that reaches nothing is measured against some block, and fails there, instead of going unanswered.
    """
    for _, header in answers.headers:
        finding, _ = path_of(proof, header, claimed, "")
        if finding.outcome is Outcome.PASSED:
            return replace(proof, header=header)
    records = [r for r in (proof.transaction, proof.receipt) if r is not None]
    numbers = {r.block_number for r in records} - {None}
    named = [h for _, h in answers.headers if h.number in numbers]
    ordered = named or sorted((h for _, h in answers.headers), key=lambda h: h.number)
    return replace(proof, header=ordered[0] if ordered else None)


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


def _signed_by_known(proof: Proof, header: Header, profiles: Sequence[ChainProfile]) -> Proof:
    """A block that names no chain, with the profile whose validators signed it or which has pinned it; else with none."""
    for profile in profiles:
        suite = suite_of(profile)
        if suite is not None and (proof.transaction is None or proof.matched is None or proof.suite == suite):
            known = replace(proof, header=header, profile=profile, suite=suite, guessed=False)
            if _distance(known, Claimed()) == 0:
                return known
    return replace(proof, header=header, suite=header_suite(header) or proof.suite, guessed=True)


def _suited(proof: Proof, profile: ChainProfile | None, answers: Answers) -> Proof:
    """The suite of a transaction's chain; without a profile, the suite under which its records hold."""
    transaction = proof.transaction
    known = suite_of(profile) if profile else None
    for suite in (known,) if known else SUITES:
        matched = _transaction_match(transaction, suite)
        if matched:
            return replace(proof, profile=profile, suite=suite, guessed=known is None, matched=matched)
    by_header = next((s for _, h in answers.headers if (s := header_suite(h))), None)
    return replace(proof, profile=profile, suite=known or by_header or SUITES[0], guessed=known is None)


def _transaction_match(transaction: Transaction | None, suite: Suite) -> Matched | None:
    if transaction is None or transaction.missing or transaction.hash is None:
        return None
    return transaction_hash(transaction, algorithm=suite.hash)


def _receipt_of(receipt: Receipt, transaction: Transaction, answers: Answers) -> bool:
    if receipt.transaction_hash is None:
        return len(answers.transactions) == 1
    return receipt.transaction_hash == transaction.hash
