"""ChainMaker 2.x 长安链, the base of 至信链 since 2021: blocks, transactions and paths of one exhibit, taken together.

All sources of the family are read (`chainmaker_messages`), put in their places here, and each transaction that matters goes
up the ladder (`chainmaker_transaction`, in a block recomputed by `chainmaker_block`). Spec consortium-chains §4;
`docs/formats/chainmaker.md`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..codecs.protobuf import Message
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, Finding, failed, indeterminate
from . import chainmaker_messages as messages
from . import chainmaker_transaction as transactions
from . import ladder
from .chainmaker_block import RW_SET, Examined
from .chainmaker_hashing import Block
from .chainmaker_members import HASHES, Certificates
from .chainmaker_messages import Piece, Unreadable, sniff
from .chainmaker_selection import Selection, Supplied, blocks_to_examine, configures, select
from .chainmaker_transaction import Path, Transaction
from .links import unlinked

__all__ = [
    "Supplied",
    "block_of",
    "examine",
    "examine_supplied",
    "same_block",
    "sniff",
    "transaction_of",
]


def examine(sources: tuple[Source, ...], context: Context) -> Examination:
    """See `registry`. Files that cannot be read become findings of step 0; the rest is examined together."""
    from ..certificates import pem

    pieces: list[Piece] = []
    faults: list[Finding] = []
    for source in sources:
        try:
            pieces.append(messages.read(source))
        except Unreadable as fault:
            maker = failed if fault.reason is Reason.FORMAT_FAILURE else indeterminate
            # What cannot be read was handed in for something: it must reach the verdict.
            faults.append(
                maker(
                    ladder.LEDGER_KIND,
                    fault.reason,
                    source.name,
                    actual=str(fault),
                    bearing=Bearing.DECISIVE,
                )
            )
    supplied, incomplete = _arrange(pieces, tuple(pem.certificates(context.of("x509"))))
    found = examine_supplied(supplied, context)
    return replace(found, findings=(*faults, *incomplete, *found.findings))


def examine_supplied(supplied: Supplied, context: Context) -> Examination:
    """Every transaction that matters, recomputed, and findings about what went with none of them."""
    known = Certificates(supplied.certificates)
    genesis = _genesis(supplied)
    blocks = [
        Examined(
            b,
            trust=context.trust,
            known=known,
            others=supplied.blocks,
            genesis=genesis.get(b.chain_id, frozenset()),
        )
        for b in blocks_to_examine(supplied)
    ]
    chosen = select(supplied, blocks, context)
    proofs: list[ladder.Proof] = []
    for subject, block in chosen.subjects:
        inclusion, profile = transactions.examine(
            subject, block, trust=context.trust, known=known, genesis=genesis
        )
        proofs.append(ladder.proof(inclusion, profile=profile, context=context))
    used = [b for b in blocks if any(b is home for _, home in chosen.subjects)]
    # A whole block that only links must still be what its header says.
    links = [f for b in blocks if all(b is not u for u in used) for f in (b.header, *b.findings)]
    left_over = _left_over(chosen, _lonely(supplied.blocks, used))
    return Examination(findings=(*links, *left_over), proofs=tuple(proofs))


def _lonely(supplied: Sequence[Block], used: Sequence[Examined]) -> list[Block]:
    """Blocks that hold no transaction of interest, that no row of headers joins to one that does, and that are not the first
    block by which step 0 tells the chain."""
    chains = {e.block.chain_id for e in used}
    left = [
        b
        for b in supplied
        if all(b is not e.block for e in used)
        and not (b.height == 0 and b.chain_id in chains and b.algorithm is not None)
        and not configures(b, supplied)
    ]
    ends = {i: (b.hash_under(b.algorithm or HASHES[0]), b.header.data("pre_block_hash")) for i, b in enumerate(left)}
    joined_to = [(e.hash, e.block.header.data("pre_block_hash")) for e in used]
    return [left[i] for i in unlinked(ends, joined_to)]


def _left_over(chosen: Selection, lonely: Sequence[Block]) -> Iterator[Finding]:
    """What was handed in and went with no transaction, or was too much. It contradicts nothing and must reach the verdict."""

    def left(check: str, reason: Reason, subject: str, actual: str | None = None) -> Finding:
        return indeterminate(check, reason, subject, actual=actual, bearing=Bearing.DECISIVE)

    if chosen.too_many:
        shown = f"{chosen.too_many} transactions"
        yield left(ladder.LEDGER_KIND, Reason.RESOURCE_LIMIT, "chainmaker", shown)
    for block in lonely:
        yield left(ladder.HEADER, Reason.PROOF_NOT_SUPPLIED, f"{block.name} · {block.height}")
    for path in chosen.stray_paths:
        yield left(ladder.PATH, Reason.PROOF_NOT_SUPPLIED, path.name)
    for rw_set in chosen.stray_rw_sets:
        yield left(RW_SET, Reason.PROOF_NOT_SUPPLIED, f"tx {ladder.short(rw_set.text('tx_id'))}")


# ── from files to what they hold ──────────────────────────────────────────────────────────────────────────────────────


def _arrange(pieces: Sequence[Piece], certificates: tuple[bytes, ...]) -> tuple[Supplied, list[Finding]]:
    blocks: list[Block] = []
    loose: list[Transaction] = []
    paths: list[Path] = []
    rw_sets: list[Message] = []
    incomplete: list[Finding] = []
    for piece in pieces:
        if piece.path is not None:
            paths.append(Path(piece.name, piece.path))
            continue
        message = piece.message
        if message is None:
            continue
        if message.type is messages.RW_SET:
            rw_sets.append(message)
        elif message.type in (messages.TRANSACTION, messages.TRANSACTION_INFO):
            transaction = transaction_of(piece.name, message)
            if transaction is None:
                incomplete.append(_without(piece.name, "transaction"))
            else:
                loose.append(transaction)
                info_rw_set = message.message("rw_set") if message.type is messages.TRANSACTION_INFO else None
                rw_sets.extend([info_rw_set] if info_rw_set else [])
        else:
            block = block_of(piece.name, message)
            if block is None:
                incomplete.append(_without(piece.name, "header"))
            elif all(not same_block(block, b) for b in blocks):
                blocks.append(block)
    supplied = Supplied(tuple(blocks), tuple(loose), tuple(paths), tuple(rw_sets), certificates)
    return supplied, incomplete


def _without(name: str, part: str) -> Finding:
    return failed(
        ladder.LEDGER_KIND, Reason.FORMAT_FAILURE, name, actual=f"no {part}", bearing=Bearing.DECISIVE
    )


def transaction_of(name: str, message: Message) -> Transaction | None:
    if message.type is messages.TRANSACTION:
        return Transaction(name, message)
    body = message.message("transaction")
    if body is None:
        return None
    return Transaction(
        name,
        body,
        index=message.number("tx_index"),
        height=message.number("block_height"),
        block_hash=message.data("block_hash") or None,
        timestamp=message.number("block_timestamp") or None,
    )


def block_of(name: str, message: Message) -> Block | None:
    if message.type is messages.HEADER:
        return Block(name, message)
    block = message.message("block") if message.type is messages.BLOCK_INFO else message
    header = block.message("header") if block else None
    if block is None or header is None:
        return None
    additional = block.message("additional_data")
    extra: Mapping[str, bytes] = additional.entries("extra_data") if additional else {}
    return Block(
        name,
        header,
        txs=block.messages("txs") or None,
        dag=block.message("dag"),
        extra=extra,
        rw_sets=message.messages("rwset_list") if message.type is messages.BLOCK_INFO else (),
    )


def same_block(a: Block, b: Block) -> bool:
    """One block in two renderings (JSON and protobuf) is examined once."""
    return (
        a.header.raw == b.header.raw
        and dict(a.extra) == dict(b.extra)
        and [t.raw for t in a.txs or ()] == [t.raw for t in b.txs or ()]
        and (a.dag.raw if a.dag else None) == (b.dag.raw if b.dag else None)
        and [r.raw for r in a.rw_sets] == [r.raw for r in b.rw_sets]
    )


def _genesis(supplied: Supplied) -> dict[str, frozenset[bytes]]:
    """Hashes of block 0 by chain id, as handed in (recomputed) or claimed."""
    found: dict[str, set[bytes]] = {}
    for block in supplied.blocks:
        if block.height == 0:
            recomputed = block.hash_under(block.algorithm) if block.algorithm else block.stated_hash
            found.setdefault(block.chain_id, set()).add(recomputed)
    for chain_id, claimed in supplied.genesis:
        found.setdefault(chain_id, set()).add(claimed)
    return {chain_id: frozenset(hashes) for chain_id, hashes in found.items()}

