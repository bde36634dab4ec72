"""Platform certificates against the chain proofs of the same exhibit (spec consortium-chains §10.1 checks 4 and 5, §3.1 T).

A certificate is about the transaction that it names. Only when no proof of that transaction was handed in is it held against
a proof of the same file, and then only when no other certificate names that one: a file may be recorded twice, on two chains
or by two platforms. A certificate that shares nothing with the exhibit keeps it open: it is handed in for something that has
not been shown.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from .. import digests
from ..certificates.claim import Claim, ClaimedFile
from ..certificates.shown import shown
from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Bearing, Finding, Outcome, failed, indeterminate, instant, passed
from .ladder import Inclusion, Proof

FIELDS = "CERT.FIELDS"
TIME = "CERT.TIME"

_TX_ID = re.compile(r"[0-9A-Za-z_-]{1,66}")
"""The ids of the ledgers that the engine verifies: hexadecimal, or what ChainMaker's clients choose."""
RECORDING_GAP_MAX = timedelta(hours=24)
"""Between the time of recording on a certificate and the proven one. Platforms print the time of the request, of the
transaction or of the block, and some record in batches; none of them takes a day."""


def stated_otherwise(proof: Proof, claims: Sequence[Claim]) -> bytes | None:
    """The digest that a certificate states for this transaction and that is not recorded in it, or None.

    Digests of other algorithms say nothing against each other: they are told apart by the file where there is one, by the
    names of the algorithms where both are named, and otherwise not at all.
    """
    mapped = {value: alg for _, alg, value in proof.location.mapped if value is not None}
    explained = proof.recorded <= {h.value for h in proof.location.hits}
    for claim in claims:
        if not _names(claim, proof.inclusion):
            continue
        comparable = [f for f in claim.files if any(len(f.digest) == len(v) for v in mapped)]
        if not comparable or any(_agrees(f, proof) for f in comparable):
            continue
        named_alike = all(f.alg is not None and {f.alg} == set(mapped.values()) for f in comparable)
        if explained or named_alike:
            return comparable[0].digest
    return None


def findings(claims: Sequence[Claim], proofs: Sequence[Proof], content: Sequence[Source]) -> list[Finding]:
    """CERT.FIELDS for every certificate, and CERT.TIME where its time of recording is not the proven one."""
    named = frozenset(_id(claim.tx_id) for claim in claims if claim.tx_id)
    compared = [f for claim in claims for f in _against(claim, named, proofs, content)]
    return [*compared, *_against_each_other(claims)]


def _against_each_other(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Two certificates of one transaction: it has one height and one block, and one record of a file has one number.

    A transaction may record many files, and two bodies may certify one record, each under a number of its own.
    """
    first: dict[str, Claim] = {}
    for claim in claims:
        if not claim.tx_id or claim.part is not None:
            continue
        other = first.setdefault(_id(claim.tx_id), claim)
        if other is claim:
            continue
        subject = f"{other.subject} · {claim.subject}"
        stated = (
            ("height", other.block_height, claim.block_height),
            ("block", other.block_hash and other.block_hash.hex(), claim.block_hash and claim.block_hash.hex()),
        )
        for name, a, b in stated:
            if a is not None and b is not None and a != b:
                conflict = Reason.CERT_FIELDS_CONFLICT
                yield failed(FIELDS, conflict, subject, expected=f"{name} {a}", actual=f"{name} {b}")
        numbers = (other.certificate_no, claim.certificate_no)
        one_record = {f.digest for f in other.files} & {f.digest for f in claim.files}
        if other.platform == claim.platform and one_record and None not in numbers and numbers[0] != numbers[1]:
            yield indeterminate(
                FIELDS,
                Reason.CERT_FIELDS_CONFLICT,
                subject,
                expected=f"certificate number {shown(str(numbers[0]))}",
                actual=f"certificate number {shown(str(numbers[1]))}",
                bearing=Bearing.DECISIVE,
            )


def _against(
    claim: Claim, named_by_any: Collection[str], proofs: Sequence[Proof], content: Sequence[Source]
) -> Iterator[Finding]:
    named = [p.inclusion for p in proofs if _names(claim, p.inclusion)]
    if named:
        for inclusion in named:
            yield _compared(claim, inclusion)
            yield from _time(claim, inclusion)
        return
    files = [s for s in content if any(_is_of(f, s, digests.STRONG) for f in claim.files)]
    sharing = [p for p in proofs if any(_agrees(f, p) for f in claim.files) or p.spoken_of & set(files)]
    free = [p.inclusion for p in sharing if not p.inclusion.tx_id or _id(p.inclusion.tx_id) not in named_by_any]
    if free:
        compared = [(i, _compared(claim, i)) for i in free]
        # Of several records of the file it is about one: it need not agree with the others.
        inclusion, best = min(compared, key=lambda c: _ORDER.index(c[1].outcome))
        yield best
        if best.outcome is Outcome.PASSED:
            yield from _time(claim, inclusion)
        return
    if files or sharing:
        # Its own transaction was not proven; the file it speaks of stands on its own walk.
        yield indeterminate(FIELDS, Reason.PROOF_NOT_SUPPLIED, claim.subject, expected=_unproven(claim))
        return
    if claim.part is not None:
        # A further record that the certificate only mentions (a log, a package) is listed by its reader and leaves no gap.
        return
    weak = any(_is_of(f, s, digests.BROKEN) for f in claim.files for s in content)
    reason = Reason.SIGNED_DATA_NOT_FOUND if claim.files else Reason.PROOF_NOT_SUPPLIED
    reason = Reason.CRYPTO_CONSTRAINTS_FAILURE if weak else reason
    yield indeterminate(FIELDS, reason, claim.subject, expected=_unproven(claim), bearing=Bearing.DECISIVE)


def _unproven(claim: Claim) -> str | None:
    """`tx <id>`: the transaction whose proof is missing, by which somebody with a line to the chain can ask for it."""
    return f"tx {claim.tx_id}" if claim.tx_id and _TX_ID.fullmatch(claim.tx_id) else None


_ORDER = (Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED)


def _compared(claim: Claim, inclusion: Inclusion) -> Finding:
    """Do transaction id, height and block hash on the certificate agree with the recomputed proof?"""
    subject = f"{claim.subject} · {inclusion.subject}"
    notes = ("READ_FROM_TEXT",) if claim.from_text else ()
    compared: list[tuple[str, str, str, bool]] = []
    if claim.tx_id is not None and inclusion.tx_id is not None:
        compared.append(("tx", claim.tx_id, inclusion.tx_id, _names(claim, inclusion)))
    if claim.block_height is not None and inclusion.height is not None:
        same = claim.block_height == inclusion.height
        compared.append(("height", str(claim.block_height), str(inclusion.height), same))
    if claim.block_hash is not None and inclusion.block_hash is not None:
        same = claim.block_hash == inclusion.block_hash
        compared.append(("block", claim.block_hash.hex(), inclusion.block_hash.hex(), same))
    for name, on_certificate, in_proof, same in compared:
        if not same:
            return failed(
                FIELDS,
                Reason.CERT_FIELDS_CONFLICT,
                subject,
                expected=f"{name} {in_proof}",
                actual=f"{name} {shown(on_certificate)}",
                notes=notes,
            )
    if not compared:
        return indeterminate(FIELDS, Reason.PROOF_NOT_SUPPLIED, subject, notes=notes)
    agreed = ", ".join(name for name, *_ in compared)
    return passed(FIELDS, subject, expected=agreed, actual=agreed, notes=notes)


def _time(claim: Claim, inclusion: Inclusion) -> Iterator[Finding]:
    """A time of recording that is days away from the header's: whichever is meant, the certificate is not about this block."""
    stated = claim.time.instant if claim.time else None
    proven = inclusion.time.not_after if inclusion.time else None
    if stated is None or proven is None or abs(stated - proven) <= RECORDING_GAP_MAX:
        return
    yield indeterminate(
        TIME,
        Reason.TIMESTAMP_ORDER_FAILURE,
        f"{claim.subject} · {inclusion.subject}",
        expected=instant(proven),
        actual=instant(stated),
        bearing=Bearing.DECISIVE,
    )


def _names(claim: Claim, inclusion: Inclusion) -> bool:
    if not claim.tx_id or not inclusion.tx_id:
        return False
    return _id(claim.tx_id) == _id(inclusion.tx_id)


def _id(text: str) -> str:
    return text.lower().removeprefix("0x")


def _agrees(file: ClaimedFile, proof: Proof) -> bool:
    """Whether a stated digest is one that is recorded, or another digest of a file whose digest is."""
    return file.digest in proof.recorded or any(_is_of(file, s, digests.STRONG) for s in proof.spoken_of)


def _is_of(file: ClaimedFile, source: Source, algorithms: Sequence[str]) -> bool:
    fitting = (a for a in algorithms if digests.LENGTH[a] == len(file.digest))
    return any(source.digest(a) == file.digest for a in fitting)
