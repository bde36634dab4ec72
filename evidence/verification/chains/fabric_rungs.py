"""The rungs of one Hyperledger Fabric proof: what is recomputed of one transaction and of its block (spec §7, §3.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import digests
from ..codecs.protobuf import Fault
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from . import fabric_transaction, ladder
from .claimed import opened as pre_image_opened
from .fabric_block import Block, Opened
from .fabric_config import Custody
from .fabric_execution import endorsements, execution
from .fabric_finality import Quorum, pinned, quorum
from .fabric_identity import NAME_SHOWN, Msp, serialized, signed, standing
from .fabric_links import Anchored, Rows, checkpoint
from .fabric_transaction import Transaction, TransactionError

FAMILY = "fabric"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a proof package says beside the block: data, compared with it and with the profile.

    peers   (MSP id, commit hash) that other peers are said to have for the block
    """

    chain_id: str | None = None
    genesis_hash: bytes | None = None
    tx_id: str | None = None
    hash: str | None = None
    signature: str | None = None
    pre_images: tuple[tuple[bytes, bytes], ...] = ()
    peers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Around:
    """What stands around a block: the profile of its channel, and all that was handed in."""

    profile: ChainProfile | None
    rows: Rows
    custody: Custody
    stated: Stated
    genesis: frozenset[bytes]
    """Hashes of block 0 of the channel, as handed in or stated."""
    first: Mapping[str, tuple[int, int]]
    """Transaction id -> (height, place) of the first transaction of the channel that has it, among those handed in."""


@dataclass(frozen=True, slots=True)
class BlockRungs:
    path: Finding
    header: Finding
    quorum: Quorum
    root: Anchored

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.path, self.header, self.quorum.finding, self.root.finding


def block_rungs(block: Block, around: Around, subject: str) -> BlockRungs:
    return BlockRungs(
        path_of(block, subject),
        _header(block, subject),
        quorum(block, custody=around.custody, profile=around.profile, subject=subject),
        checkpoint(block, around.rows, subject=subject, profile=around.profile),
    )


def inclusion_of(block: Block, index: int | None, around: Around) -> ladder.Inclusion:
    """The ladder of the transaction at `index` of a block, or of a block that no transaction of interest is in."""
    opened = block.opened[index] if index is not None else None
    transaction, unread = _transaction(opened)
    tx_id = opened.tx_id if opened else None
    subject = f"{FAMILY} · {block.label} · " + (f"tx {ladder.short(tx_id)}" if tx_id else "block")
    rungs = block_rungs(block, around, subject)
    x = _identified(opened, transaction, unread, around.stated, subject)
    vouching = _members(block, around)
    here = (block.number, index or 0)
    endorsed = endorsements(transaction, vouching, subject)
    places = fabric_transaction.places(transaction) if transaction else None
    return ladder.Inclusion(
        subject=subject,
        ledger_kind=_ledger_kind(block, opened, around, subject),
        transaction=x,
        sender=_sender(opened, transaction, (*vouching, *_orderers(block, around)), subject),
        path=rungs.path,
        header=rungs.header,
        node_quorum=rungs.quorum.finding,
        root=rungs.root.finding,
        execution=execution(
            block,
            index,
            transaction,
            endorsed=endorsed,
            members_known=bool(vouching),
            profile=around.profile,
            peers=around.stated.peers,
            repeated=transaction is not None and around.first.get(transaction.tx_id, here) < here,
            subject=subject,
        ),
        places=tuple(pre_image_opened(p, around.stated.pre_images) for p in places) if places else places,
        tx_id=tx_id or None,
        leaf=digests.digest("SHA-256", opened.raw) if opened else None,
        merkle_root=block.data_hash,
        block_hash=block.hash,
        height=block.number,
        time=None,
        quorum_label=rungs.quorum.label,
        signers=rungs.quorum.operators,
        court_run=rungs.quorum.court_run,
        checkpoint=rungs.root.checkpoint,
        further=(endorsed.finding,) if endorsed.finding else (),
    )


# ── rungs 0, X, S ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _ledger_kind(block: Block, opened: Opened | None, around: Around, subject: str) -> Finding:
    """Step 0: the family is read; does the court know this channel, and is it the channel that the exhibit says?"""
    check, profile, stated = ladder.LEDGER_KIND, around.profile, around.stated
    channel = opened.channel if opened else block.channel
    if channel != block.channel:
        # An orderer takes into a channel's blocks only what names that channel.
        shown = f"{(channel or '–')[:NAME_SHOWN]} / {(block.channel or '–')[:NAME_SHOWN]}"
        return failed(check, Reason.FORMAT_FAILURE, subject, actual=shown)
    for name, found, said in (
        ("chain_id", channel, stated.chain_id),
        ("hash", None if block.is_guomi else "SHA-256", stated.hash),
        ("signature", None if block.is_guomi else "ECDSA-P256", stated.signature),
    ):
        if found is not None and said is not None and found != said:
            expected, actual = f"{name} {found[:NAME_SHOWN]}", f"{name} {said[:NAME_SHOWN]}"
            return failed(check, Reason.CERT_FIELDS_CONFLICT, subject, expected=expected, actual=actual)
    shown = (channel or "–")[:NAME_SHOWN]
    if block.is_guomi:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual="SM3", notes=("GUOMI_FORK",))
    if profile is None:
        return indeterminate(check, Reason.ANCHOR_UNTRUSTED, subject, actual=shown)
    if not supported(profile):
        algorithms = f"{profile.hash} {profile.signature}"
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=algorithms, notes=("GUOMI_FORK",))
    other = sorted(g.hex() for g in around.genesis if profile.genesis_hash and g != profile.genesis_hash)
    if other and profile.genesis_hash:
        expected = profile.genesis_hash.hex()
        return failed(check, Reason.ANCHOR_MISMATCH, subject, expected=expected, actual=other[0])
    return passed(check, subject, expected=profile.id, actual=shown)


def supported(profile: ChainProfile) -> bool:
    """Fabric as published; forks with SM2 and SM3 differ in ways that no public data show."""
    return digests.canonical_name(profile.hash) == "SHA-256" and profile.signature == "ECDSA-P256"


def _transaction(opened: Opened | None) -> tuple[Transaction | None, str | None]:
    if opened is None:
        return None, None
    try:
        return fabric_transaction.read(opened), None
    except TransactionError as fault:
        return None, str(fault)


def _identified(
    opened: Opened | None, transaction: Transaction | None, unread: str | None, stated: Stated, subject: str
) -> Finding:
    """Step X: the id is the hash of nonce and creator, and the endorsed proposal is the one in the envelope."""
    check = ladder.TRANSACTION
    if opened is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if transaction is None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=unread)
    if transaction.tx_id != transaction.recomputed_id:
        return failed(
            check, Reason.HASH_FAILURE, subject, expected=transaction.recomputed_id, actual=transaction.tx_id[:128]
        )
    if transaction.proposal_hash != transaction.recomputed_hash:
        expected, actual = transaction.recomputed_hash.hex(), transaction.proposal_hash.hex()[:128]
        return failed(
            check, Reason.HASH_FAILURE, subject, expected=f"proposal {expected}", actual=f"proposal {actual}"
        )
    if stated.tx_id is not None and stated.tx_id != transaction.tx_id:
        expected = transaction.tx_id
        return failed(check, Reason.CERT_FIELDS_CONFLICT, subject, expected=expected, actual=stated.tx_id)
    notes = (f"METHOD_FOUND:{transaction.chaincode[:NAME_SHOWN]}.{transaction.method[:NAME_SHOWN]}",)
    return passed(check, subject, expected=transaction.recomputed_id, actual=transaction.tx_id, notes=notes)


def _sender(
    opened: Opened | None, transaction: Transaction | None, known: Sequence[Msp], subject: str
) -> Finding:
    """Step S: the creator's signature over the payload."""
    check = ladder.SENDER
    if opened is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    who = serialized(opened.signature_header.data("creator"))
    if who is None:
        return indeterminate(check, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    if who.curve is None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=who.label)
    if not signed(who, opened.signature, digests.digest("SHA-256", opened.payload)):
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject, actual=who.label)
    found = standing(who, tuple(known), None)
    if found.reason is not None:
        return indeterminate(check, found.reason, subject, actual=f"{who.label} {found.problem or ''}".strip())
    return passed(check, subject, actual=who.label, notes=("VALIDITY_NOT_JUDGED",))


def _members(block: Block, around: Around) -> tuple[Msp, ...]:
    """The organisations whose nodes endorse: as the court pins them, and as the last configuration that counts lists them.

    Not the one that the block names: where a checkpoint proves the block, nobody need have signed what it names.
    """
    if around.profile is None:
        return ()
    config = around.custody.newest_before(block.number)
    return (*pinned(around.profile, block.number, roles=(None, "member")), *(config.members if config else ()))


def _orderers(block: Block, around: Around) -> tuple[Msp, ...]:
    if around.profile is None:
        return ()
    config = around.custody.newest_before(block.number)
    return (*pinned(around.profile, block.number, roles=("orderer",)), *(config.orderers if config else ()))


# ── rungs R, H ────────────────────────────────────────────────────────────────────────────────────────────────────────


def path_of(block: Block, subject: str) -> Finding:
    """Step R: all envelopes of the block hash to data_hash, and are well formed. There is no path: the block is the proof."""
    check, expected = ladder.PATH, block.data_hash.hex()
    if block.envelopes is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, expected=expected)
    if block.is_guomi:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual="SM3", notes=("GUOMI_FORK",))
    if block.content_hash != block.data_hash:
        return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, actual=block.content_hash.hex())
    if block.ill_formed is not None:
        fault, problem = block.ill_formed
        if fault is Fault.FORM:
            return failed(check, Reason.FORMAT_FAILURE, subject, actual=problem)
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=problem)
    note = f"RECOMPUTED_FROM_LEAVES:{len(block.envelopes)}"
    return passed(check, subject, expected=expected, actual=block.content_hash.hex(), notes=(note,))


def _header(block: Block, subject: str) -> Finding:
    """Step H. A block does not state its own hash: it is computed, signed by orderers and repeated by the next block."""
    if block.is_guomi:
        return indeterminate(ladder.HEADER, Reason.UNSUPPORTED_FORMAT, subject, actual="SM3", notes=("GUOMI_FORK",))
    return passed(ladder.HEADER, subject, actual=block.hash.hex(), notes=("HASH_NOT_STATED",))

