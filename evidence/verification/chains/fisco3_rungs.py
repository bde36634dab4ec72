"""The rungs of one FISCO BCOS 3.x proof: what is recomputed of one transaction, its block and its receipt (spec §6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from .. import digests, merkle
from ..codecs.text import CodecError
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, ProvenTime, failed, indeterminate, passed
from . import abi, ladder
from .fisco3_execution import BINARY_TREE_SINCE, Executed, execution
from .fisco3_finality import SUITES, Anchored, Quorum, Suite, checkpoint, quorum, signer, suite_of
from .fisco3_hashing import TRANSACTION_VERSIONS, Matched, header_hash
from .fisco3_records import Header, Receipt, Transaction, address
from .location import Place

FAMILY = "fisco3"
ADDRESS_BYTES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a proof package says beside the node's answers: data, compared with them and with the profile."""

    chain_id: str | None = None
    group_id: str | None = None
    genesis_hash: bytes | None = None
    tx_hashes: tuple[bytes, ...] | None = None
    receipt_hashes: tuple[bytes, ...] | None = None
    hash: str | None = None
    """A name of `digests.LENGTH`."""
    signature: str | None = None
    pre_images: tuple[tuple[bytes, bytes], ...] = ()
    """(digest of a file, bytes that hold it and whose own digest the contract stores)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The records of one transaction, or of one block that no transaction belongs to."""

    source: str
    transaction: Transaction | None = None
    receipt: Receipt | None = None
    header: Header | None = None
    matched: Matched | None = None
    profile: ChainProfile | None = None
    suite: Suite = field(default=SUITES[0])
    guessed: bool = False


def inclusion_of(
    proof: Proof, claimed: Claimed, *, successors: Sequence[Header], others: Sequence[Header]
) -> tuple[ladder.Inclusion, Anchored]:
    t, header, suite = proof.transaction, proof.header, proof.suite
    tx_id = t.hash if t else proof.receipt.transaction_hash if proof.receipt else None
    subject = f"{FAMILY} · {proof.source} · " + (f"tx {ladder.short(tx_id)}" if tx_id else "block")
    x = _transaction(proof, subject)
    path, place = path_of(proof, header, claimed, subject)
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
            places=_places(t, call, e, claimed),
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
    proof: Proof, claimed: Claimed, digest: bytes | None, subject: str, notes: tuple[str, ...]
) -> Finding:
    """Step 0: the family is read; does the court know this chain, and is it the chain that the exhibit says?"""
    check, profile, t = ladder.LEDGER_KIND, proof.profile, proof.transaction
    if proof.guessed and (proof.matched or proof.header):
        notes = (*notes, f"SUITE_GUESSED:{proof.suite.hash}")
    said = f"{t.chain_id or '–'} / {t.group_id or '–'}" if t else "–"
    known = proof.suite if profile is not None or proof.matched else None
    for name, found, in_package in (
        ("chain_id", t.chain_id if t else None, claimed.chain_id),
        ("group_id", t.group_id if t else None, claimed.group_id),
        ("hash", known.hash if known else None, claimed.hash),
        ("signature", known.signature if known else None, claimed.signature),
    ):
        if found is not None and in_package is not None and found != in_package:
            return failed(
                check, Reason.CERT_FIELDS_CONFLICT, subject, expected=f"{name} {found}", actual=f"{name} {in_package}"
            )
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


def _transaction(proof: Proof, subject: str) -> Finding:
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


def path_of(
    proof: Proof, header: Header | None, claimed: Claimed, subject: str
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


def _places(
    t: Transaction | None, call: abi.Call | None, e: Executed, claimed: Claimed
) -> tuple[Place, ...] | None:
    """Where a digest may stand: the call's parameters, what its contract logged, and the input as bytes."""
    if t is None or t.ethereum or t.missing or t.input is None:
        return None
    contract = address(t.to or "") or "–"
    parameters = (
        tuple(Place(contract, call.signature, key, value) for key, value in call.parameters) if call else ()
    )
    found = (*parameters, *e.events)
    return (*(_opened(p, claimed.pre_images) for p in found), Place(contract, "input", "data", t.input))


def _opened(place: Place, pre_images: Sequence[tuple[bytes, bytes]]) -> Place:
    """A stored value that is the digest of a supplied pre-image stands for the file digest which the pre-image holds."""
    for digest, pre_image in pre_images:
        if digest not in pre_image and digest.hex().encode() not in pre_image.lower():
            continue
        for algorithm in (*digests.STRONG, "KECCAK-256"):
            stored = digests.digest(algorithm, pre_image)
            if place.value == stored:
                return replace(place, value=digest)
            if place.value.lower().removeprefix(b"0x") == stored.hex().encode():
                return replace(place, value=digest.hex().encode())
    return place


def _time(header: Header | None) -> ProvenTime | None:
    """The proposer's clock, in milliseconds."""
    if header is None:
        return None
    try:
        return ProvenTime(_EPOCH + timedelta(milliseconds=header.timestamp), "PROPOSER")
    except OverflowError:
        return None
