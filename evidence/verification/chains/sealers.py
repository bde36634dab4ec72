"""Step Q of a FISCO BCOS block, 2.x and 3.x alike: enough of the sealers that the court has pinned signed the block's hash.

The node counts the sealers that signed (PBFTEngine::checkBlock in 2.x, BlockValidator::checkSignatureList in 3.x, with weights) and
trusts its own list; the court trusts the one it has pinned. What the block says of its sealers is compared with the pinned set,
never used in its place, and the public key that guomi signatures carry must be the pinned one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from .. import digests
from ..keys import secp256k1, sm2
from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from ..verdict import Finding, ProvenTime, failed, indeterminate, passed
from .ladder import NODE_QUORUM

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES_MAX = 8
"""Validators named in a finding; the numbers count them all."""


class SealedHeader(Protocol):
    """A block header with the signatures that stand beside it."""

    @property
    def number(self) -> int: ...
    @property
    def hash(self) -> bytes | None: ...
    @property
    def parent(self) -> bytes:
        """Hash of the block before; empty for the first block."""

    @property
    def sealers(self) -> tuple[bytes, ...]:
        """64-byte public keys, as they are hashed in the header."""

    @property
    def weights(self) -> tuple[int, ...]:
        """One for each sealer."""

    @property
    def signatures(self) -> tuple[tuple[int, bytes], ...] | None:
        """(place in `sealers`, signature); None when the answer has no such list."""


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
    header: SealedHeader,
    digest: bytes,
    *,
    subject: str,
    suite: Suite,
    profile: ChainProfile | None,
    header_holds: bool,
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
        actual = f"sealerIndex {repeated[0]} ×{indices.count(repeated[0])}"
        return Quorum(failed(NODE_QUORUM, Reason.QUORUM_FAILURE, subject, actual=actual), "–")
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


def usual(total: int) -> int:
    """Weight that decides among all sealers: W − ⌊(W−1)/3⌋ (PBFTConfig::updateQuorum)."""
    return total - (total - 1) // 3


def required(total: int, *, profile: ChainProfile, epoch: Epoch) -> int:
    """What the court set, one for single-point consensus, or the usual weight."""
    if epoch.quorum is not None:
        return epoch.quorum
    return 1 if profile.consensus == "SINGLE" else usual(total)


def proposer_time(milliseconds: int) -> ProvenTime | None:
    """The clock of the sealer that proposed the block; None for a time beyond the calendar."""
    try:
        return ProvenTime(_EPOCH + timedelta(milliseconds=milliseconds), "PROPOSER")
    except OverflowError:
        return None


def _count(
    signed: Sequence[Validator], invalid: Sequence[Validator], *, epoch: Epoch, profile: ChainProfile, subject: str
) -> Quorum:
    total = sum(v.weight for v in epoch.validators)
    weight = sum(v.weight for v in signed)
    need = required(total, profile=profile, epoch=epoch)
    label = f"{weight}/{total}"
    expected, actual = f"≥{need}/{total}", f"{label}: {_names(signed)}"
    if invalid:
        finding = failed(NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, expected=_names(invalid), actual=actual)
        return Quorum(finding, label)
    if profile.consensus == "NONE":
        # Raft in 2.x signs nothing: the missing signatures refute nothing, and none that are there decide.
        none = indeterminate(NODE_QUORUM, Reason.FINALITY_INSUFFICIENT, subject, expected=expected, actual=actual)
        return Quorum(none, label)
    if weight < need:
        return Quorum(failed(NODE_QUORUM, Reason.QUORUM_FAILURE, subject, expected=expected, actual=actual), label)
    notes = ("SINGLE_SIGNER",) if profile.consensus == "SINGLE" else ()
    if profile.consensus == "BFT" and need < usual(total):
        # rPBFT: only the working set of an epoch signs, and the block does not say which sealers those were.
        notes = (f"QUORUM_SET_BY_COURT:{need}/{total}",)
    return Quorum(
        passed(NODE_QUORUM, subject, expected=expected, actual=actual, notes=notes),
        label,
        frozenset(v.operator for v in signed),
        all(v.role == "court" for v in signed),
    )


def _unpinned(
    header: SealedHeader, valid: Sequence[int], invalid: Sequence[int], subject: str, header_holds: bool
) -> Quorum:
    """No profile: the block can only contradict itself, never be believed."""
    actual = f"{len(valid)}/{len(header.sealers)}"
    if invalid and header_holds:
        finding = failed(NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, actual=f"sealerIndex {invalid[0]}")
        return Quorum(finding, actual)
    finding = indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, subject, actual=actual, notes=("OWN_SEALERS_ONLY",))
    return Quorum(finding, actual)


def _set_of(header: SealedHeader) -> Counter[tuple[bytes | None, int]]:
    return Counter(zip(header.sealers, header.weights, strict=True))


def _pinned_set(epoch: Epoch) -> Counter[tuple[bytes | None, int]]:
    return Counter((v.key, v.weight) for v in epoch.validators)


def _names(validators: Sequence[Validator]) -> str:
    names = [v.node_name or v.org or v.operator for v in validators]
    return ", ".join(names[:NAMES_MAX]) + (f" +{len(names) - NAMES_MAX}" if len(names) > NAMES_MAX else "")
