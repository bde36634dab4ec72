"""Steps Q and C of a FISCO BCOS 3.x block: the sealers' signatures and the court's checkpoints (spec §3.4, §6 step 5).

BlockValidator::checkSignatureList counts the weight of the sealers that signed the header hash; the node trusts its own
list, the court trusts the one it has pinned. What the block says of its sealers is compared with the pinned set, never used
in its place, and the public key that guomi signatures carry must be the pinned one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .. import digests
from ..keys import secp256k1, sm2
from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from ..verdict import Finding, failed, indeterminate, passed
from .fisco3_hashing import header_hash
from .fisco3_records import Header
from .ladder import NODE_QUORUM, ROOT, Checkpointed

LINKS_MAX = 10_000
"""Successor headers that are followed to a checkpoint (spec §2 rule 6)."""
NAMES_MAX = 8
"""Validators named in a finding; the numbers count them all."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms of one chain: `hash` is a name of `digests.LENGTH`, `signature` is ECDSA-SECP256K1 or SM2."""

    hash: str
    signature: str
    uid: bytes = sm2.DEFAULT_UID


ECDSA = Suite("KECCAK-256", "ECDSA-SECP256K1")
GUOMI = Suite("SM3", "SM2")
SUITES = (ECDSA, GUOMI)


def suite_of(profile: ChainProfile) -> Suite | None:
    """The suite that the court has recorded for the chain; None when it is not one of FISCO's two."""
    found = Suite(digests.canonical_name(profile.hash) or "", profile.signature, profile.sm2_uid)
    return next((found for s in SUITES if (s.hash, s.signature) == (found.hash, found.signature)), None)


@lru_cache(maxsize=4096)
def signer(signature: bytes, digest: bytes, *, suite: Suite) -> bytes | None:
    """The key (64 bytes) that signed `digest`, as the chain writes signatures, or None when the signature is invalid.

    ECDSA: r‖s‖v, 65 bytes, over the digest itself; the key is recovered. SM2: r‖s‖key, 128 bytes, e = SM3(Z_A‖digest).
    Many transactions share a block, and a block a thousand signatures at most: each is checked once.
    """
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    if suite.signature == "SM2":
        key = signature[64:]
        valid = len(signature) == 128 and sm2.verify(key, (r, s), digest, uid=suite.uid)
        return key if valid else None
    return secp256k1.recover(digest, r, s, signature[64]) if len(signature) == 65 else None


@dataclass(frozen=True, slots=True)
class Quorum:
    finding: Finding
    label: str
    operators: frozenset[str] = frozenset()
    court_run: bool = False


def quorum(
    header: Header, digest: bytes, *, subject: str, suite: Suite, profile: ChainProfile | None, header_holds: bool
) -> Quorum:
    """Step Q over the header's own recomputed hash `digest`.

    header_holds   the header hashes to the id it carries: without a profile only then do its signatures say anything
    """
    if header.signatures is None:
        return Quorum(indeterminate(NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, subject), "–")
    indices = [index for index, _ in header.signatures]
    if any(index >= len(header.sealers) for index in indices):
        return Quorum(failed(NODE_QUORUM, Reason.FORMAT_FAILURE, subject, actual="sealerIndex"), "–")
    repeated = sorted(i for i, times in Counter(indices).items() if times > 1)
    if repeated:
        return Quorum(
            failed(NODE_QUORUM, Reason.QUORUM_FAILURE, subject, actual=f"sealerIndex {repeated[0]} ×{indices.count(repeated[0])}"),
            "–",
        )
    valid = [i for i, signature in header.signatures if signer(signature, digest, suite=suite) == header.sealers[i]]
    invalid = sorted(set(indices) - set(valid))
    if profile is None:
        return _unpinned(header, valid, invalid, subject, header_holds)
    epoch = profile.epoch_at(header.number)
    if epoch is None:
        return Quorum(indeterminate(NODE_QUORUM, Reason.ANCHOR_UNAVAILABLE, subject, actual=str(header.number)), "–")
    if _set_of(header) != _pinned_set(epoch):
        # A closed epoch is history that the court has settled; an open one may have moved on since the pack was made.
        closed = epoch.to_height is not None
        maker = failed if closed else indeterminate
        reason = Reason.ANCHOR_MISMATCH if closed else Reason.ANCHOR_UNTRUSTED
        difference = f"{len(_set_of(header) & _pinned_set(epoch))}/{len(epoch.validators)}"
        return Quorum(
            maker(NODE_QUORUM, reason, subject, expected=_names(epoch.validators), actual=difference), difference
        )
    pinned = {v.key: v for v in epoch.validators}
    # Each pinned identity counts once, whatever the header repeats.
    return _count(
        [pinned[key] for key in dict.fromkeys(header.sealers[i] for i in valid)],
        [pinned[key] for key in dict.fromkeys(header.sealers[i] for i in invalid)],
        epoch=epoch,
        profile=profile,
        subject=subject,
    )


def required(total: int, *, profile: ChainProfile, epoch: Epoch) -> int:
    """Weight that decides: W − ⌊(W−1)/3⌋ (PBFTConfig::updateQuorum), one for single-point consensus, or what the court set."""
    if epoch.quorum is not None:
        return epoch.quorum
    return 1 if profile.consensus == "SINGLE" else total - (total - 1) // 3


def _count(
    signed: Sequence[Validator], invalid: Sequence[Validator], *, epoch: Epoch, profile: ChainProfile, subject: str
) -> Quorum:
    total = sum(v.weight for v in epoch.validators)
    weight = sum(v.weight for v in signed)
    need = required(total, profile=profile, epoch=epoch)
    label = f"{weight}/{total}"
    expected, actual = f"≥{need}/{total}", f"{label}: {_names(signed)}"
    if invalid:
        finding = failed(
            NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, expected=_names(invalid), actual=f"{label}: {_names(signed)}"
        )
        return Quorum(finding, label)
    if weight < need:
        return Quorum(failed(NODE_QUORUM, Reason.QUORUM_FAILURE, subject, expected=expected, actual=actual), label)
    if profile.consensus == "NONE":
        return Quorum(
            indeterminate(NODE_QUORUM, Reason.FINALITY_INSUFFICIENT, subject, expected=expected, actual=actual), label
        )
    notes = ("SINGLE_SIGNER",) if profile.consensus == "SINGLE" else ()
    return Quorum(
        passed(NODE_QUORUM, subject, expected=expected, actual=actual, notes=notes),
        label,
        frozenset(v.operator for v in signed),
        all(v.role == "court" for v in signed),
    )


def _unpinned(
    header: Header, valid: Sequence[int], invalid: Sequence[int], subject: str, header_holds: bool
) -> Quorum:
    """No profile: the block can only contradict itself, never be believed."""
    actual = f"{len(valid)}/{len(header.sealers)}"
    if invalid and header_holds:
        finding = failed(NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, actual=f"sealerIndex {invalid[0]}")
        return Quorum(finding, actual)
    finding = indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, subject, actual=actual, notes=("OWN_SEALERS_ONLY",))
    return Quorum(finding, actual)


def _set_of(header: Header) -> Counter[tuple[bytes | None, int]]:
    return Counter(zip(header.sealers, header.weights, strict=True))


def _pinned_set(epoch: Epoch) -> Counter[tuple[bytes | None, int]]:
    return Counter((v.key, v.weight) for v in epoch.validators)


def _names(validators: Sequence[Validator]) -> str:
    names = [v.node_name or v.org or v.operator for v in validators]
    return ", ".join(names[:NAMES_MAX]) + (f" +{len(names) - NAMES_MAX}" if len(names) > NAMES_MAX else "")


@dataclass(frozen=True, slots=True)
class Anchored:
    """Step C: the finding, the checkpoint it rests on, and the successor headers that lead there."""

    finding: Finding
    checkpoint: Checkpointed | None = None
    links: tuple[Header, ...] = ()


def checkpoint(
    header: Header,
    digest: bytes,
    *,
    subject: str,
    suite: Suite,
    profile: ChainProfile | None,
    successors: Sequence[Header],
    others: Sequence[Header],
) -> Anchored:
    """EQUAL: the court has pinned this block. LINKED_BACK: later headers lead from it to a pinned one.

    successors   headers of the exhibit that belong to no transaction: a link among them must hold
    others       headers of other transactions: they may link, and say nothing when they do not
    """
    pinned = profile.checkpoint_at(header.number) if profile else None
    if pinned and pinned.hash != digest:
        return Anchored(failed(ROOT, Reason.ANCHOR_MISMATCH, subject, expected=pinned.hash.hex(), actual=digest.hex()))
    if pinned:
        found = passed(ROOT, subject, expected=pinned.hash.hex(), actual=digest.hex(), notes=("CHECKPOINT_EQUAL",))
        return Anchored(found, Checkpointed(pinned.basis, pinned.recorded_at))
    current, current_digest = header, digest
    links: list[Header] = []
    while len(links) < LINKS_MAX:
        after = current.number + 1
        candidates = [h for h in (*successors, *others) if h.number == after]
        follower = next((h for h in candidates if h.parents[0][1] == current_digest), None)
        if follower is None:
            broken = next((h for h in successors if h.number == after), None)
            if broken is not None:
                return Anchored(
                    failed(
                        ROOT,
                        Reason.PROOF_FAILURE,
                        subject,
                        expected=f"{after}: {broken.parents[0][1].hex()}",
                        actual=current_digest.hex(),
                    )
                )
            break
        current, current_digest = follower, header_hash(follower, algorithm=suite.hash)
        links.append(follower)
        pinned = profile.checkpoint_at(after) if profile else None
        if (pinned and pinned.hash != current_digest) or (follower.hash and follower.hash != current_digest):
            reason = Reason.ANCHOR_MISMATCH if pinned else Reason.PROOF_FAILURE
            due = pinned.hash if pinned else follower.hash or b""
            return Anchored(
                failed(ROOT, reason, subject, expected=f"{after}: {due.hex()}", actual=current_digest.hex()),
                links=tuple(links),
            )
        if pinned:
            found = passed(
                ROOT,
                subject,
                expected=f"{after}: {pinned.hash.hex()}",
                actual=f"{after}: {current_digest.hex()}",
                notes=(f"CHECKPOINT_LINKED:{len(links)}",),
            )
            return Anchored(found, Checkpointed(pinned.basis, pinned.recorded_at), tuple(links))
    return Anchored(indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, subject), links=tuple(links))
