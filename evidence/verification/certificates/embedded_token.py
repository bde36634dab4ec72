"""CERT.TSR: a time-stamp of an authority inside a certificate (`tsr`, ctsr) over the digest that the certificate states.

The token goes through the same ladder as one that is handed in by itself (`timestamps.rfc3161`). What it covers is documented
by no platform: the digest itself, or the digest of the digest as bytes or text, are recognised. Where it covers a file of the
exhibit it is a walk of its own to the authority, whatever becomes of the certificate; it proves that the file existed, and
nothing about a ledger.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import digests
from ..codecs.text import CodecError, base64_bytes, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    ProofState,
    Walk,
    failed,
    indeterminate,
    passed,
)
from . import matching
from .shown import shown
from .statement import Certificate

if TYPE_CHECKING:
    from ..timestamps.token import Token

TSR = "CERT.TSR"

TOKENS_MAX = 200
"""Tokens looked at in one exhibit, a few milliseconds each: a list of records may bring one with each of them."""
_WITHIN = ("ctsr", "tsr", "token", "data", "TimestampTsa")
"""Members in which a token given as an object is looked for."""


def examine(certificate: Certificate, source: Source, context: Context, *, limit: int) -> Examination:
    findings: list[Finding] = []
    walks: list[Walk] = []
    if len(certificate.tokens) > max(0, limit):
        reason, subject = Reason.RESOURCE_LIMIT, certificate.claim.subject
        findings.append(indeterminate(TSR, reason, subject, bearing=Bearing.ADVISORY))
    for path, value in certificate.tokens[: max(0, limit)]:
        found = _examine(certificate, f"{certificate.claim.subject} · {shown(path)}", value, source, context)
        findings += found.findings
        walks += found.walks
    spoken_of = frozenset(s for s in context.content if any(w.file == s.sha256 for w in walks))
    not_proven = ("NOT_PROVEN.AUTHOR", "NOT_PROVEN.MAKING_TIME") if walks else ()
    return Examination(tuple(findings), tuple(walks), spoken_of=spoken_of, not_proven=not_proven)


def _examine(
    certificate: Certificate, subject: str, value: object, source: Source, context: Context
) -> Examination:
    from ..timestamps import rfc3161
    from . import pem

    data = _der(value)
    if data is None:
        reason = Reason.UNSUPPORTED_FORMAT
        return Examination((indeterminate(TSR, reason, subject, bearing=Bearing.ADVISORY),))
    if len(data) > rfc3161.TOKEN_BYTES_MAX:
        return Examination((indeterminate(TSR, Reason.RESOURCE_LIMIT, subject, bearing=Bearing.ADVISORY),))
    covered = _Covered(certificate, subject, context.content)
    read = rfc3161.verify_imprint(
        data,
        subject=subject,
        imprint=covered.compare,
        trust=context.trust,
        at=context.at,
        certificates=pem.certificates(context.of("x509")),
    )
    # Whether the exhibit stays open is decided by its walks: a token that says nothing is a gap of the certificate only.
    steps = [replace(f, bearing=Bearing.REFUTING) if f.bearing is Bearing.DECISIVE else f for f in read.findings]
    walks: tuple[Walk, ...] = ()
    if covered.file is not None:
        walk = Walk(
            source=source.name,
            file=covered.file.sha256,
            steps=read.steps(Node(NodeKind.FILE, covered.file.name)),
            grade=Grade.A if read.anchor is not None else Grade.E,
            state=ProofState.PROVEN,
            time=read.time,
        )
        walks = (walk,)
    return Examination((*steps, _summary(steps, subject)), walks)


def _summary(steps: Sequence[Finding], subject: str) -> Finding:
    """One answer from the ladder of the token."""
    deciding = [f for f in steps if f.bearing is not Bearing.ADVISORY]
    refuted = next((f for f in deciding if f.outcome is Outcome.FAILED), None)
    open_ = next((f for f in deciding if f.outcome is Outcome.INDETERMINATE), None)
    if refuted is not None and refuted.reason is not None:
        return failed(TSR, refuted.reason, subject, expected=refuted.expected, actual=refuted.actual)
    if open_ is not None and open_.reason is not None:
        return indeterminate(TSR, open_.reason, subject, expected=open_.expected, actual=open_.actual)
    return passed(TSR, subject)


@dataclass
class _Covered:
    """What a token covers: compared once, when the token has been read. `file` is the content file that it covers itself."""

    certificate: Certificate
    subject: str
    content: Sequence[Source]
    file: Source | None = None

    def compare(self, token: "Token") -> Finding:
        from ..timestamps.rfc3161 import IMPRINT

        if token.algorithm is None:
            unknown = Reason.DIGEST_ALGORITHM_UNKNOWN
            return indeterminate(IMPRINT, unknown, self.subject, actual=token.algorithm_oid)
        algorithm, imprint = token.algorithm, token.imprint
        shown_imprint = f"{algorithm} {imprint.hex()}"
        stated = [f.digest for f in self.certificate.files]
        self.file = next((s for s in self.content if s.digest(algorithm) == imprint), None)
        notes: tuple[str, ...] | None = () if self.file is not None or imprint in stated else None
        if notes is None and any(imprint == digests.digest(algorithm, m) for d in stated for m in _renderings(d)):
            notes = ("IMPRINT_OF_TEXT",)
        if notes is not None and algorithm in digests.BROKEN:
            weak = Reason.CRYPTO_CONSTRAINTS_FAILURE
            return indeterminate(IMPRINT, weak, self.subject, expected=shown_imprint, notes=notes)
        if notes is not None:
            return passed(IMPRINT, self.subject, expected=shown_imprint, actual=shown_imprint, notes=notes)
        other = self._what_it_should_cover(algorithm)
        if other is None:
            return indeterminate(IMPRINT, Reason.SIGNED_DATA_NOT_FOUND, self.subject, expected=shown_imprint)
        actual = f"{algorithm} {other.hex()}"
        return failed(IMPRINT, Reason.HASH_FAILURE, self.subject, expected=shown_imprint, actual=actual)

    def _what_it_should_cover(self, algorithm: str) -> bytes | None:
        """The digest, under the token's algorithm, of what the certificate is about: as it states it, or of the file that it
        states another digest of. Digests of different algorithms contradict each other in nothing."""
        about = self.certificate.claim.files
        stated = next((f.digest for f in about if f.alg == algorithm), None)
        if stated is not None:
            return stated
        fitting = matching.stated(about, self.content)
        file = next((s for s in self.content if s in fitting), None)
        return file.digest(algorithm) if file else None


def _renderings(digest: bytes) -> Iterator[bytes]:
    yield digest
    yield digest.hex().encode()
    yield digest.hex().upper().encode()


def _der(value: Any) -> bytes | None:
    """base64 (also broken into lines, or as an object's member) or hex -> bytes that begin like DER; None for anything else."""
    if isinstance(value, dict):
        return next((d for name in _WITHIN if (d := _der(value.get(name))) is not None), None)
    if not isinstance(value, str):
        return None
    text = "".join(value.split())
    for decode in (base64_bytes, lambda t: hex_bytes(t, any_case=True)):
        try:
            data = decode(text)
        except CodecError:
            continue
        if data[:1] == b"\x30" and len(data) > 2:
            return data
    return None
