"""Hyperledger Fabric, rung Q: did the orderers that the court knows sign the block? (spec §7 steps 4, 5)

Under Raft one orderer signs: the channel asks for one, so that one signature is all there is (ceiling SINGLE). Under Fabric 3's
SmartBFT the orderers that decided sign, and the block names them by number. Whom the court knows, in this order:

1. validators of the profile's epoch at this height, by certificate or key;
2. roots of organisations that the profile names as orderers' at this height;
3. the configuration in force, where the court's pin reaches it (`fabric_config`).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..codecs.protobuf import Fault, ProtobufError
from ..keys import x509
from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from ..verdict import Finding, failed, indeterminate, passed
from .fabric_block import Block
from .fabric_config import Configuration, Custody, InForce
from .fabric_identity import Identity, Msp, certificates_of, standing
from .fabric_signatures import Signatures, Vote, read, votes
from .ladder import NODE_QUORUM

ORDERER = "orderer"
COURT = "court"
"""`role` of a validator that the court itself runs."""
NAMES_MAX = 8
"""Signers named in a finding; the numbers count them all."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """Rung Q, a short text for the drawing, the operators of the signers that counted, and whether all are the court's."""

    finding: Finding
    label: str
    operators: frozenset[str] = frozenset()
    court_run: bool = False


@dataclass(frozen=True, slots=True)
class _Count:
    """Signers that count, by a name that counts once: (operator, role, what to print)."""

    signers: dict[str, tuple[str, str, str]]
    open_: tuple[tuple[Reason, str], ...]
    total: int | None
    needed: int | None


def byzantine_quorum(total: int) -> int:
    """⌈(n + f + 1) / 2⌉ with f = ⌊(n − 1) / 3⌋ (SmartBFT `computeBFTQuorum`); 2f + 1 where n = 3f + 1."""
    return (total + (total - 1) // 3 + 2) // 2


def accepts(block: Block, config: Configuration) -> bool:
    """Whether a block is signed as a configuration demands of the block after it: the rule of custody."""
    try:
        signatures = read(block)
        given = votes(block, signatures, config.consenter) if signatures else []
    except ProtobufError:
        return False
    count = _by_configuration(given, config, None, None)
    return all(v.valid for v in given) and count.needed is not None and len(count.signers) >= count.needed


def quorum(block: Block, *, custody: Custody, profile: ChainProfile | None, subject: str) -> Quorum:
    def told(make: Callable[..., Finding], reason: Reason, actual: str | None = None) -> Quorum:
        return Quorum(make(NODE_QUORUM, reason, subject, actual=actual), "–")

    if block.is_guomi:
        return told(indeterminate, Reason.UNSUPPORTED_FORMAT, "SM3")
    try:
        signatures = read(block)
        if signatures is None:
            return told(indeterminate, Reason.PROOF_NOT_SUPPLIED)
        wrong = _misplaced(block, signatures, custody)
        if wrong is not None:
            return told(failed, *wrong)
        in_force = _in_force(block, signatures, custody)
        given = votes(block, signatures, in_force.configuration.consenter if in_force else lambda _: None)
    except ProtobufError as fault:
        unreadable = {Fault.FORM: Reason.FORMAT_FAILURE, Fault.LIMIT: Reason.RESOURCE_LIMIT}
        reason = unreadable.get(fault.fault, Reason.UNSUPPORTED_FORMAT)
        return told(failed if reason is Reason.FORMAT_FAILURE else indeterminate, reason, str(fault))
    invalid = [v.who.label for v in given if v.who is not None and v.reason is None and not v.valid]
    if invalid:
        return told(failed, Reason.SIG_CRYPTO_FAILURE, ", ".join(invalid[:NAMES_MAX]))
    if profile is None:
        stated = f"{len(given)}"
        return Quorum(
            indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, subject, actual=stated, notes=("OWN_SIGNERS_ONLY",)),
            stated,
        )
    return _weigh(given, block, in_force, profile, subject, signatures.last_config)


def _misplaced(block: Block, signatures: Signatures, custody: Custody) -> tuple[Reason, str] | None:
    """What the signed metadata say of the configuration in force, against what cannot be otherwise."""
    last = signatures.last_config
    if last is None:
        return None
    if last > block.number or (last == block.number and not block.is_config):
        return Reason.FORMAT_FAILURE, f"last_config {last}"
    newer = custody.between(last, block.number)
    return None if newer is None else (Reason.ANCHOR_MISMATCH, f"last_config {last}, not {newer}")


def _in_force(block: Block, signatures: Signatures, custody: Custody) -> InForce | None:
    """A configuration block is signed under the configuration before it, any other under the one it names."""
    if block.is_config:
        return custody.before(block)
    return custody.at(signatures.last_config) if signatures.last_config is not None else None


def _weigh(
    given: Sequence[Vote],
    block: Block,
    in_force: InForce | None,
    profile: ChainProfile,
    subject: str,
    last_config: int | None,
) -> Quorum:
    epoch = profile.epoch_at(block.number)
    orderers = pinned_orderers(profile, block.number)
    if epoch is not None and epoch.validators:
        count = _by_validators(given, epoch, profile)
    elif orderers:
        count = _by_roots(given, orderers, epoch, profile)
    elif in_force is not None and in_force.counts:
        count = _by_configuration(given, in_force.configuration, epoch, profile)
    else:
        shown = "–" if last_config is None else str(last_config)
        finding = indeterminate(
            NODE_QUORUM, Reason.ANCHOR_UNAVAILABLE, subject, actual=shown, notes=("CONFIGURATION_NOT_PINNED",)
        )
        return Quorum(finding, f"{len(given)}")
    return _answer(count, epoch, profile, subject)


def _answer(count: _Count, epoch: Epoch | None, profile: ChainProfile, subject: str) -> Quorum:
    signers = [count.signers[name] for name in sorted(count.signers)]
    needed = count.needed
    whole = "" if count.total is None else f"/{count.total}"
    label = f"{len(signers)}{whole} (≥{'?' if needed is None else needed})"
    expected = None if needed is None else f"≥{needed}{whole}"
    names = ", ".join(shown for _, _, shown in signers[:NAMES_MAX])
    actual = f"{len(signers)}{whole}" + (f": {names}" if names else "")

    def told(make: Callable[..., Finding], reason: Reason, more: str = "") -> Quorum:
        return Quorum(make(NODE_QUORUM, reason, subject, expected=expected, actual=(actual + more)[:400]), label)

    # A stranger beside those whom the court lists: the set is another one, settled or perhaps newer than the pack.
    strangers = [shown for reason, shown in count.open_ if reason is Reason.ANCHOR_UNTRUSTED]
    if strangers:
        closed = epoch is not None and epoch.to_height is not None
        return told(
            failed if closed else indeterminate,
            Reason.ANCHOR_MISMATCH if closed else Reason.ANCHOR_UNTRUSTED,
            f"; {', '.join(strangers[:NAMES_MAX])}",
        )
    if needed is None:
        return told(indeterminate, Reason.POLICY_PROCESSING_ERROR)
    if len(signers) < needed:
        if count.open_:
            reason, shown = count.open_[0]
            return told(indeterminate, reason, f"; {shown}")
        return told(failed, Reason.QUORUM_FAILURE)
    if profile.consensus == "NONE":
        return told(indeterminate, Reason.FINALITY_INSUFFICIENT)
    notes = ("VALIDITY_NOT_JUDGED", *(("SINGLE_SIGNER",) if len(signers) == 1 else ()))
    return Quorum(
        passed(NODE_QUORUM, subject, expected=expected, actual=actual, notes=notes),
        label,
        frozenset(operator for operator, _, _ in signers),
        all(role == COURT for _, role, _ in signers),
    )


# ── who counts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pinned_orderers(profile: ChainProfile, height: int) -> tuple[Msp, ...]:
    return pinned(profile, height, roles=(ORDERER,))


def pinned(profile: ChainProfile, height: int, *, roles: Sequence[str | None]) -> tuple[Msp, ...]:
    """The organisations whose roots the court has pinned at a height in one of the roles."""
    found: dict[str, tuple[bytes, ...]] = {}
    for root in profile.org_roots:
        in_force = (root.from_height or 0) <= height and (root.to_height is None or height <= root.to_height)
        if root.role in roles and in_force:
            found[root.org] = (*found.get(root.org, ()), *certificates_of(root.pem))
    return tuple(Msp(org, certificates) for org, certificates in sorted(found.items()))


def _by_validators(given: Sequence[Vote], epoch: Epoch, profile: ChainProfile) -> _Count:
    """The court names each orderer: each counts once, whatever certificates it holds."""
    signers: dict[str, tuple[str, str, str]] = {}
    open_: list[tuple[Reason, str]] = []
    for vote in given:
        if vote.who is None or vote.reason is not None:
            open_.append(_unresolved(vote))
            continue
        validator = _validator(vote.who, epoch)
        if validator is None:
            open_.append((Reason.ANCHOR_UNTRUSTED, vote.who.label))
        else:
            shown = validator.node_name or validator.org or validator.operator
            signers.setdefault(vote.who.point.hex(), (validator.operator, validator.role, shown))
    total = len(epoch.validators)
    usual = byzantine_quorum(total) if profile.consensus == "BFT" else 1
    return _Count(signers, tuple(open_), total, epoch.quorum or usual)


def _validator(who: Identity, epoch: Epoch) -> Validator | None:
    digest = hashlib.sha256(who.certificate).digest()
    spki = x509.Certificate(who.certificate).spki
    return next((v for v in epoch.validators if v.cert_sha256 == digest or (v.key and v.key == spki)), None)


def _by_roots(
    given: Sequence[Vote], orderers: tuple[Msp, ...], epoch: Epoch | None, profile: ChainProfile
) -> _Count:
    """Only roots are pinned. An authority can issue any number of certificates, so that each organisation counts once, and
    how many must sign under BFT is for the court to say."""
    signers, open_ = _organisations(given, orderers, profile)
    usual = 1 if profile.consensus != "BFT" else None
    return _Count(signers, open_, None, (epoch.quorum if epoch else None) or usual)


def _by_configuration(
    given: Sequence[Vote], config: Configuration, epoch: Epoch | None, profile: ChainProfile | None
) -> _Count:
    """The configuration's own rule: so many of the consenters it lists, or so many of its organisations."""
    stated = epoch.quorum if epoch else None
    if not config.byzantine:
        signers, open_ = _organisations(given, config.orderers, profile)
        usual = None if profile is not None and profile.consensus == "BFT" else config.needed
        return _Count(signers, open_, None, max(stated, usual) if stated and usual else stated or usual)
    listed = {c.identity.certificate: c for c in config.consenters}
    among: dict[str, tuple[str, str, str]] = {}
    strange: list[tuple[Reason, str]] = []
    for vote in given:
        if vote.who is None or vote.reason is not None:
            strange.append(_unresolved(vote))
            continue
        consenter = listed.get(vote.who.certificate)
        if consenter is None or consenter.identity.mspid != vote.who.mspid:
            strange.append((Reason.NO_CERTIFICATE_CHAIN_FOUND, vote.who.label))
            continue
        found = standing(vote.who, config.orderers, ORDERER)
        if found.reason is not None:
            strange.append((found.reason, f"{vote.who.label} {found.problem or ''}"))
            continue
        operator, role = _operator(vote.who.mspid, profile)
        among.setdefault(vote.who.point.hex(), (operator, role, f"{vote.who.mspid} {consenter.number}"))
    total = len(config.consenters)
    return _Count(among, tuple(strange), total, max(stated or 0, byzantine_quorum(total)))


def _organisations(
    given: Sequence[Vote], orderers: tuple[Msp, ...], profile: ChainProfile | None
) -> tuple[dict[str, tuple[str, str, str]], tuple[tuple[Reason, str], ...]]:
    signers: dict[str, tuple[str, str, str]] = {}
    open_: list[tuple[Reason, str]] = []
    for vote in given:
        if vote.who is None or vote.reason is not None:
            open_.append(_unresolved(vote))
            continue
        found = standing(vote.who, orderers, ORDERER)
        if found.reason is None:
            signers.setdefault(vote.who.mspid, (*_operator(vote.who.mspid, profile), vote.who.label))
        else:
            open_.append((found.reason, f"{vote.who.label} {found.problem or ''}".strip()))
    return signers, tuple(open_)


def _unresolved(vote: Vote) -> tuple[Reason, str]:
    return vote.reason or Reason.NO_SIGNING_CERTIFICATE_FOUND, vote.who.label if vote.who else "–"


def _operator(mspid: str, profile: ChainProfile | None) -> tuple[str, str]:
    """Who runs an organisation's orderer; without a word from the court, the chain's operator."""
    if profile is None:
        return "", "platform"
    known = {(v.operator, v.role) for e in profile.epochs for v in e.validators if v.org == mspid}
    return known.pop() if len(known) == 1 else (profile.operator, "platform")
