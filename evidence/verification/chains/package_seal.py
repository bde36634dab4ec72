"""The platform's seal on a proof package: `package.p7s`, a detached CMS signature over the bytes of `package.json`.

It says who wrapped the answers, never that they are right: with no chain proven it is a platform's word under its own signature,
at most grade D. The seal leads to a root that the court has pinned for seals (`seals/certs`), or stands for nobody.
"""

from datetime import datetime

from ..exhibit import Source
from ..keys import cms, revocation, x509
from ..reasons import Reason
from ..registry import Context
from ..trust import TrustStore
from ..verdict import (
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
    step,
)

SEAL = "PACKAGE.SEAL"
DATA = "1.2.840.113549.1.7.1"
GM_DATA = "1.2.156.10197.6.1.4.2.1"
"""id-data of RFC 5652 §4 and of GM/T 0010-2012."""


def examine(package: bytes, seal: bytes, *, subject: str, context: Context) -> Finding:
    """Never raises for what the seal holds."""
    # 1. One signature with signed attributes, which does not bring other content.
    try:
        signed = cms.parse(seal, detached=package)
    except cms.CmsUnsupported as fault:
        return indeterminate(SEAL, Reason.UNSUPPORTED_FORMAT, subject, actual=str(fault))
    except cms.CmsError as fault:
        return failed(SEAL, Reason.FORMAT_FAILURE, subject, actual=str(fault))
    if signed.content_type not in (DATA, GM_DATA):
        actual = f"content type {signed.content_type}"
        return indeterminate(SEAL, Reason.SIG_CONSTRAINTS_FAILURE, subject, actual=actual)
    # 2. The signer's certificate: named by issuer and number, and by digest where the message does.
    signer = cms.signing_certificate(signed, (*signed.certificates, *context.trust.seal_roots), bound=False)
    if signer is None:
        return indeterminate(SEAL, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    # 3. The bytes and the signature.
    outcome, reason, label = cms.check_signature(signed, signer)
    if outcome is not Outcome.PASSED:
        return Finding(SEAL, outcome, reason, subject, actual=label)
    # 4. A path to a pinned root; at the moment of verification, because nothing dates the seal.
    return _identified(signer, signed, context.trust, context.at, subject)


def _identified(
    signer: x509.Certificate, signed: cms.SignedData, trust: TrustStore, at: datetime, subject: str
) -> Finding:
    path = x509.validate(
        signer.der, intermediates=signed.certificates, roots=trust.seal_roots, at=at, purpose=x509.Purpose.SEAL
    )
    if path.outcome is not Outcome.PASSED or path.anchor is None:
        reason = path.reason or Reason.NO_CERTIFICATE_CHAIN_FOUND
        return indeterminate(SEAL, reason, subject, expected=path.problem, actual=signer.name)
    lists = (*trust.revocation_lists, *signed.revocation_lists)
    standing = revocation.check(path.certificates, lists=lists, moment=at, now=at)
    if standing.reason not in (None, Reason.TRY_LATER):
        return Finding(SEAL, standing.outcome, standing.reason, subject, actual=standing.shown)
    platform = trust.platform_of_seal(signer.der)
    notes = [f"PLATFORM_SEAL:{platform.id}" if platform else "SEAL_OF_NO_PLATFORM"]
    if standing.reason is not None:
        notes.append("REVOCATION_NOT_KNOWN")
    anchor = x509.Certificate(path.anchor).name
    return passed(SEAL, subject, expected=anchor, actual=signer.name, notes=tuple(notes))


def walk(name: str, source: Source | None, matched: Finding, seal: Finding) -> Walk:
    """File – digest stated in the package – its seal – the court's pin. ASSERTED: it proves that somebody has said so."""
    file = Node(NodeKind.FILE, source.name if source else "–")
    statement = Node(NodeKind.STATEMENT, name)
    pin = Node(NodeKind.ANCHOR, seal.expected or "–")
    known = seal.outcome is Outcome.PASSED
    return Walk(
        source=name,
        file=source.sha256 if source else "",
        steps=(step(file, statement, matched), step(statement, pin, seal)),
        grade=Grade.D if known else Grade.E,
        state=ProofState.ASSERTED,
    )
