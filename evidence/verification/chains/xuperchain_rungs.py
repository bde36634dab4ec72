"""The rungs of one XuperChain proof: what is recomputed of one transaction and its block (spec consortium-chains §8)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .. import digests
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, ProvenTime, failed, indeterminate, passed
from . import ladder
from .claimed import opened
from .location import Place
from .xuperchain_finality import Quorum, quorum
from .xuperchain_hashing import Hashed, tail_is_clear, writes_are_clear
from .xuperchain_keys import SUITES, Suite, is_address_of, signed
from .xuperchain_links import Anchored, checkpoint
from .xuperchain_messages import HASH_BYTES, Block, Transaction
from .xuperchain_records import Path
from .xuperchain_senders import sender
from .xuperchain_tree import Linked, path_of

FAMILY = "xuperchain"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US = 1000


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a proof package says beside the node's bytes: data, compared with them and with the profile."""

    chain_id: str | None = None
    genesis_hash: bytes | None = None
    hash: str | None = None
    """A name of `digests.LENGTH`."""
    signature: str | None = None
    pre_images: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """The records of one transaction, or of one block that no transaction belongs to.

    copies      further copies of the same block
    others      the other blocks of the exhibit that may belong to this chain
    chained     those of them that were handed in as this block's successors
    namesakes   the court knows several chains whose validators sign such a block: a signature does not tell which it is
    """

    source: str
    transaction: Transaction | None = None
    hashed: Hashed | None = None
    block: Linked | None = None
    paths: tuple[Path, ...] = ()
    profile: ChainProfile | None = None
    copies: tuple[Linked, ...] = ()
    others: tuple[Linked, ...] = ()
    chained: tuple[Linked, ...] = ()
    namesakes: bool = False


def suite_of(profile: ChainProfile) -> Suite | None:
    """The suite that the court has recorded for the chain; None when it is neither of the two."""
    if digests.canonical_name(profile.hash) != "SHA-256":
        return None
    return next((s for s in SUITES if s.signature == profile.signature), None)


def inclusion_of(proof: Proof, claimed: Claimed) -> ladder.Inclusion:
    t, it = proof.transaction, proof.block
    tx_id = t.txid if t else None
    what = f"tx {ladder.short(tx_id)}" if t else "block"
    subject = f"{FAMILY} · {proof.source} · {what}"
    x = _transaction(t, proof.hashed, subject)
    r = path_of(t, proof.hashed, x, it, proof.paths, subject, copies=proof.copies)
    if it is None:
        c = Anchored(indeterminate(ladder.ROOT, Reason.ANCHOR_UNAVAILABLE, subject))
        q = Quorum(indeterminate(ladder.NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, subject), "–")
    else:
        c = checkpoint(it, subject=subject, profile=proof.profile, others=proof.others, chained=proof.chained)
        q = quorum(it, subject=subject, profile=proof.profile, height=c.height, others=proof.others)
    h = _header(it, c.height, subject)
    clear = t is None or writes_are_clear(t)
    return ladder.Inclusion(
        subject=subject,
        ledger_kind=_ledger_kind(proof, claimed, c, subject, () if clear else ("WRITES_AMBIGUOUS",)),
        transaction=x,
        sender=sender(t, proof.hashed, x, subject),
        path=r,
        header=h,
        node_quorum=q.finding,
        root=c.finding,
        execution=_execution(t, it, h, subject),
        places=_places(t, claimed, clear),
        tx_id=tx_id.hex() if tx_id else None,
        leaf=proof.hashed.id if proof.hashed else None,
        merkle_root=it.block.body.data("merkle_root") if it else None,
        block_hash=it.id if it else None,
        height=c.height,
        time=_time(it),
        quorum_label=q.label,
        signers=q.operators,
        court_run=q.court_run,
        checkpoint=c.checkpoint,
    )


def _ledger_kind(
    proof: Proof, claimed: Claimed, anchored: Anchored, subject: str, notes: tuple[str, ...]
) -> Finding:
    """Step 0. Neither blocks nor transactions name their chain: a package says it, and links to a pinned block prove it."""
    check, profile, it = ladder.LEDGER_KIND, proof.profile, proof.block
    said = claimed.chain_id or "–"
    suite = suite_of(profile) if profile else None
    used = it.block.key.suite.signature if it and it.block.key else suite.signature if suite else None
    for name, found, in_package in (
        ("hash", "SHA-256", claimed.hash),
        ("signature", used, claimed.signature),
        ("signature", suite.signature if suite else None, used),
    ):
        if found is not None and in_package is not None and found != in_package:
            return failed(
                check, Reason.CERT_FIELDS_CONFLICT, subject, expected=f"{name} {found}", actual=f"{name} {in_package}"
            )
    if profile is None:
        notes = (*notes, "CHAINS_OF_ONE_KEY") if proof.namesakes else notes
        return indeterminate(check, Reason.ANCHOR_UNTRUSTED, subject, actual=said, notes=notes)
    if suite is None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=f"{profile.hash} {profile.signature}")
    first = it.id if it is not None and not it.block.pre_hash else claimed.genesis_hash
    if profile.genesis_hash and first and profile.genesis_hash != first:
        return failed(check, Reason.ANCHOR_MISMATCH, subject, expected=profile.genesis_hash.hex(), actual=first.hex())
    if anchored.height is None and proof.namesakes:
        notes = (*notes, "CHAINS_OF_ONE_KEY")
        return indeterminate(check, Reason.ANCHOR_UNTRUSTED, subject, expected=profile.id, actual=said, notes=notes)
    if anchored.height is None:
        notes = (*notes, "CHAIN_NAME_UNSIGNED")
    return passed(check, subject, expected=profile.id, actual=said, notes=notes)


def _transaction(t: Transaction | None, hashed: Hashed | None, subject: str) -> Finding:
    """Step X."""
    check = ladder.TRANSACTION
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if hashed is None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=f"version {t.body.number('version')}")
    if not t.txid:
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, actual="txid")
    expected, actual = t.txid.hex(), hashed.id.hex()
    if hashed.id != t.txid:
        mark = t.body.message("modify_block")
        if mark is not None and mark.number("marked"):
            # A regulator's order removes the content and leaves the id; such a body is not the one that was hashed.
            return indeterminate(check, Reason.REDACTED_EXPORT, subject, expected=expected, actual=actual)
        if t.lossy:
            lossy = ("RENDERING_LOSSY",)
            return indeterminate(check, Reason.TX_INCOMPLETE, subject, expected=expected, actual=actual, notes=lossy)
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    notes = (f"RENDERING_USED:{hashed.rendering}",) if hashed.rendering else ()
    return passed(check, subject, expected=expected, actual=actual, notes=notes)


def _header(it: Linked | None, height: int | None, subject: str) -> Finding:
    """Step H: the id, the forms without which the bytes that are hashed could be read in two ways, the proposer's signature."""
    check = ladder.HEADER
    if it is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    block, own = it.block, it.block.body.data("blockid")
    if not own:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, actual="blockid")
    expected, actual = own.hex(), it.id.hex()
    if own != it.id:
        if block.lossy:
            lossy = ("RENDERING_LOSSY",)
            return indeterminate(check, Reason.PROOF_UNUSABLE, subject, expected=expected, actual=actual, notes=lossy)
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    fault = _form_fault(block)
    if fault is not None:
        return failed(check, Reason.FORMAT_FAILURE, subject, actual=fault)
    if block.key is not None and block.body.has("sign") and not signed(block.key, block.body.data("sign"), it.id):
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject, expected=block.proposer, actual=actual)
    notes = () if height is not None else (f"HEIGHT_UNPROVEN:{block.body.number('height')}",)
    return passed(check, subject, expected=expected, actual=actual, notes=notes)


def _form_fault(block: Block) -> str | None:
    """The field whose form would let the preimage be read otherwise. Only the first block has no proposer and nothing before it."""
    body = block.body
    if len(body.data("merkle_root")) != HASH_BYTES:
        return "merkle_root"
    if body.number("tx_count") <= 0:
        return "tx_count"
    if body.number("targetBits") < 0:
        return "targetBits"
    first = not block.pre_hash and body.number("height") == 0
    if len(block.pre_hash) != HASH_BYTES and not first:
        return "pre_hash"
    if first and not body.has("proposer") and not body.has("pubkey"):
        return None
    if block.key is None:
        return "pubkey"
    return None if is_address_of(block.proposer, block.key) else "proposer"


def _execution(t: Transaction | None, it: Linked | None, header: Finding, subject: str) -> Finding:
    """Step E. The keys of `failed_txs` are not hashed, only the reasons: a list of failures says that there are some, not whose."""
    check = ladder.EXECUTION
    if t is None or it is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    failures = it.block.body.entries("failed_txs")
    if any(key.lower() == t.txid.hex() for key in failures):
        return failed(check, Reason.EXECUTION_FAILED, subject)
    if failures:
        return indeterminate(check, Reason.VALIDITY_FLAG_UNSIGNED, subject, actual=f"failed_txs {len(failures)}")
    if header.outcome is not Outcome.PASSED:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, actual="blockid")
    if not tail_is_clear(it.block):
        return indeterminate(check, Reason.AMBIGUOUS_PREIMAGE, subject, actual="failed_txs")
    return passed(check, subject, actual="failed_txs 0")


def _places(t: Transaction | None, claimed: Claimed, clear: bool) -> tuple[Place, ...] | None:
    """Where a digest may stand: what contracts were called with, what was written, the description."""
    if t is None:
        return None
    found: list[Place] = []
    for request in t.body.messages("contract_requests"):
        contract, method = request.text("contract_name"), request.text("method_name")
        args = request.entries("args")
        found += [Place(contract, method, key, args[key]) for key in sorted(args)]
    for written in t.body.messages("tx_outputs_ext") if clear else ():
        key = written.data("key")
        found.append(Place(written.text("bucket"), "write", key.decode("utf-8", "backslashreplace"), written.data("value")))
        found.append(Place(written.text("bucket"), "write", "#key", key))
    if t.body.has("desc"):
        found.append(Place("transaction", "desc", "desc", t.body.data("desc")))
    return tuple(opened(place, claimed.pre_images) for place in found)


def _time(it: Linked | None) -> ProvenTime | None:
    """The proposer's clock, in nanoseconds; a part of a microsecond counts as a whole one, since it bounds from above."""
    if it is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=-(-it.block.body.number("timestamp") // _NS_PER_US))
    except OverflowError:
        return None
    return ProvenTime(moment, "PROPOSER")

