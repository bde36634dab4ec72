"""Hyperledger Fabric 1.4 to 3.x: from blocks to the check ladder (spec consortium-chains §7; `docs/formats/fabric.md`).

Inputs are `common.Block` (protobuf), a peer's blockfile, or a block as `configtxlator` prints it; the same may come inside a
proof package. All blocks of the exhibit are taken together: configuration blocks say whose signatures count, later blocks link
to a checkpoint, and every transaction that matters goes up the ladder. The block is the proof: Fabric has no path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Bearing, Examination, Finding, Outcome, failed, indeterminate, passed
from . import fabric_block, fabric_json, ladder
from .fabric_block import Block, BlockError
from .fabric_config import Custody
from .fabric_finality import accepts, quorum
from .fabric_links import Rows
from .fabric_rungs import FAMILY, Around, Stated, block_rungs, inclusion_of
from .fabric_selection import Subject, select
from .links import unlinked

BYTES_MAX = 64 << 20
"""One file, as for a proof package (spec §2 rule 6)."""
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a file is recognised: a printed block has its header behind its transactions."""
TOLD_MAX = 64
"""Blocks beside the transactions of interest whose every rung is told; of more only what failed, and how many there are."""
NOT_PROVEN = ("NOT_PROVEN.FABRIC_VALIDITY", "NOT_PROVEN.FABRIC_POLICY", "NOT_PROVEN.FABRIC_TIME")


def sniff(source: Source) -> int:
    """A block header of Fabric's form at the start, the first block of a blockfile, or the member names of a printed block."""
    head = source.head(LOOK_BYTES)
    if fabric_block.looks_like_block(head):
        return 90
    if fabric_json.looks_like_block(head, source.tail(LOOK_BYTES)):
        return 90
    return 85 if fabric_block.looks_like_blockfile(head, source.size) else 0


@dataclass(frozen=True, slots=True)
class Supplied:
    """Blocks of one file row or package, and what was stated beside them."""

    blocks: tuple[Block, ...]
    stated: Stated = Stated()


def examine(sources: Sequence[Source], context: Context) -> Examination:
    """See `registry`. Files that cannot be read become findings of step 0; the rest is examined together."""
    blocks: list[Block] = []
    findings: list[Finding] = []
    for source in sources:
        try:
            for block in read(source):
                blocks.append(block)
        except BlockError as fault:
            findings.append(unread(fault, source.name))
    return _with(examine_supplied(Supplied(tuple(blocks)), context), findings)


def read(source: Source) -> Iterator[Block]:
    """The blocks of one file. Yields what stands before a fault; raises BlockError."""
    data = source.read(BYTES_MAX)
    if data is None:
        raise BlockError(f"{source.size} bytes", limit=True)
    if data[:1] == b"{":
        yield fabric_json.block(data, source.name)
    elif fabric_block.looks_like_block(data):
        yield fabric_block.from_protobuf(data, source.name)
    else:
        yield from fabric_block.from_blockfile(data, source.name)


def unread(fault: BlockError, name: str) -> Finding:
    """Step 0 of what cannot be read: it must reach the verdict."""
    reasons = ((fault.limit, Reason.RESOURCE_LIMIT), (fault.short, Reason.TRUNCATED), (fault.unknown, Reason.UNSUPPORTED_FORMAT))
    reason = next((r for holds, r in reasons if holds), Reason.FORMAT_FAILURE)
    maker = failed if reason is Reason.FORMAT_FAILURE else indeterminate
    return maker(ladder.LEDGER_KIND, reason, f"{FAMILY} · {name}", actual=str(fault)[:400], bearing=Bearing.DECISIVE)


def examine_supplied(supplied: Supplied, context: Context) -> Examination:
    """Every transaction that matters, recomputed; every other block; and what hangs together with nothing."""
    blocks = _distinct(supplied.blocks)
    if len(blocks) > fabric_block.BLOCKS_MAX:
        fault = BlockError(f"{len(blocks)} blocks", limit=True)
        return Examination(findings=(unread(fault, blocks[0].origin),))
    if not blocks:
        return Examination()
    surroundings = _Surroundings(blocks, supplied.stated, context)
    chosen = select(blocks, supplied.stated, context, surroundings.profile)
    proofs = [
        ladder.proof(
            inclusion_of(subject.block, subject.index, surroundings.of(subject.block)),
            profile=surroundings.profile(subject.block),
            context=context,
        )
        for subject in chosen.subjects
    ]
    used = {id(s.block) for s in chosen.subjects}
    findings = [*chosen.findings, *_beside([b for b in blocks if id(b) not in used], surroundings)]
    findings += _lonely(blocks, chosen.subjects)
    findings += _forks(blocks, surroundings)
    return Examination(findings=tuple(findings), proofs=tuple(proofs), not_proven=NOT_PROVEN)


def _with(found: Examination, findings: Sequence[Finding]) -> Examination:
    return replace(found, findings=(*findings, *found.findings))


def _distinct(blocks: Sequence[Block]) -> list[Block]:
    """One block in two files is examined once, when nothing of it differs."""
    seen: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        seen.setdefault((block.hash, block.envelopes, block.metadata), block)
    return list(seen.values())


class _Surroundings:
    """Which profile each channel has, and which configurations count under it."""

    def __init__(self, blocks: Sequence[Block], stated: Stated, context: Context) -> None:
        self._blocks = blocks
        self._stated = stated
        self._rows = Rows(blocks)
        self._of: dict[str | None, Around] = {}
        self._named = {
            channel: context.trust.chains_named(family=FAMILY, chain_id=channel)
            for channel in {b.channel for b in blocks}
            if channel is not None
        }

    def of(self, block: Block) -> Around:
        """A header alone names no channel: it is taken for one of the only channel there is."""
        channel = block.channel
        if channel is None and len(self._named) == 1:
            channel = next(iter(self._named))
        if channel not in self._of:
            options = [self._around(channel, p) for p in self._named.get(channel or "", ()) or (None,)]
            # `min` takes the first of equals, so that the order of the pack decides and nothing else.
            self._of[channel] = options[0] if len(options) == 1 else min(options, key=lambda o: self._distance(o, channel))
        return self._of[channel]

    def profile(self, block: Block) -> ChainProfile | None:
        return self.of(block).profile

    def _around(self, channel: str | None, profile: ChainProfile | None) -> Around:
        own = [b for b in self._blocks if b.channel == channel]
        proven = self._rows.proven(profile) if profile else {}
        custody = Custody(own, profile, accepts=accepts, anchored=lambda b: b.hash in proven)
        genesis = {b.hash for b in own if b.number == 0}
        if self._stated.genesis_hash is not None:
            genesis.add(self._stated.genesis_hash)
        first: dict[str, tuple[int, int]] = {}
        for block in sorted(own, key=lambda b: b.number):
            for index, opened in enumerate(block.opened):
                if opened is not None and opened.tx_id:
                    first.setdefault(opened.tx_id, (block.number, index))
        return Around(profile, self._rows, custody, self._stated, frozenset(genesis), first)

    def _distance(self, around: Around, channel: str | None) -> int:
        """Of several channels of one name: the one whose pins or orderers the blocks bear out, then one not contradicted."""
        profile = around.profile
        if profile is None:
            return 1
        if profile.genesis_hash and around.genesis - {profile.genesis_hash}:
            return 3
        own = [b for b in self._blocks if b.channel == channel]
        if any(b.hash in self._rows.proven(profile) for b in own):
            return 0
        newest = max(own, key=lambda b: b.number)
        found = quorum(newest, custody=around.custody, profile=profile, subject="").finding.outcome
        return (Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED).index(found)


def _beside(blocks: Sequence[Block], surroundings: _Surroundings) -> Iterator[Finding]:
    """Blocks that hold no transaction of interest must still be what their headers say."""
    told = len(blocks) <= TOLD_MAX
    for block in blocks:
        for finding in _rungs_of(block, surroundings.of(block)):
            if told or finding.outcome is Outcome.FAILED:
                yield finding
    if not told:
        note = f"BLOCKS_CHECKED:{len(blocks)}"
        yield passed(ladder.HEADER, f"{FAMILY} · {blocks[0].origin}", notes=(note,), bearing=Bearing.ADVISORY)


def _rungs_of(block: Block, around: Around) -> Sequence[Finding]:
    subject = f"{FAMILY} · {block.label}"
    rungs = block_rungs(block, around, subject)
    first = around.profile.genesis_hash if around.profile else None
    if block.number or block.hash != first:
        return rungs.findings
    # Nobody signs a genesis block: the court has pinned it by its hash.
    pinned = passed(ladder.ROOT, subject, expected=first.hex(), actual=first.hex(), notes=("GENESIS_PINNED",))
    return rungs.path, rungs.header, pinned


def _forks(blocks: Sequence[Block], surroundings: _Surroundings) -> Iterator[Finding]:
    """Two blocks of one channel at one height: signed by its orderers both, they contradict each other; otherwise one of them
    is of something else, and what for has not been shown."""
    at: dict[tuple[str, int], dict[bytes, Block]] = {}
    for block in blocks:
        if block.channel is not None:
            at.setdefault((block.channel, block.number), {}).setdefault(block.hash, block)
    for (_, number), found in sorted(at.items()):
        if len(found) < 2:
            continue
        rivals = sorted(found.values(), key=lambda b: b.hash)
        around = surroundings.of(rivals[0])
        ordered = [
            b
            for b in rivals
            if quorum(b, custody=around.custody, profile=around.profile, subject="").finding.outcome is Outcome.PASSED
        ]
        subject = f"{FAMILY} · {rivals[0].label} · {rivals[1].label}"
        if len(ordered) > 1:
            expected, actual = (f"{number}: {b.hash.hex()}" for b in ordered[:2])
            yield failed(ladder.ROOT, Reason.PROOF_FAILURE, subject, expected=expected, actual=actual)
        else:
            yield indeterminate(ladder.ROOT, Reason.ANCHOR_UNAVAILABLE, subject, bearing=Bearing.DECISIVE)


def _lonely(blocks: Sequence[Block], subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Blocks that no row of blocks joins to one of interest, and that are no configuration of its channel: handed in for
    something that has not been shown."""
    used = [(s.block.hash, s.block.previous_hash) for s in subjects]
    channels = {s.block.channel for s in subjects}
    left = {
        i: (b.hash, b.previous_hash)
        for i, b in enumerate(blocks)
        if (b.hash, b.previous_hash) not in used and not (b.is_config and b.channel in channels)
    }
    for i in unlinked(left, used) if left and used else ():
        yield indeterminate(
            ladder.HEADER,
            Reason.PROOF_NOT_SUPPLIED,
            f"{FAMILY} · {blocks[i].label}",
            bearing=Bearing.DECISIVE,
        )
