"""WACZ signatures: `datapackage-digest.json` (Webrecorder wacz-auth 0.1.0; spec snapshots §6).

    {"path": "datapackage.json", "hash": "sha256:…", "signedData": {…}}

What is signed is the text of `hash`, nothing else. Two kinds: an anonymous key (`publicKey`), which names nobody, and the key
of a web domain (`domainCert`) whose signature an authority has time-stamped (`timeSignature`). Only the second, with both
certificate paths ending at roots the court has pinned at the time stamped, binds the package.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..certificates import printed_time
from ..codecs import strict_json
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.text import CodecError, base64_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import TrustStore
from ..verdict import (
    Bearing,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    ProofState,
    ProvenTime,
    Walk,
    failed,
    indeterminate,
    instant,
    passed,
    step,
)
from . import wacz_logs
from .container import Container
from .wacz_manifest import DIGEST_FILE, MANIFEST, Manifest, algorithm_and_digest

DIGEST = "WAUTH.DIGEST"
FIELDS = "WAUTH.FIELDS"
SIGNATURE = "WAUTH.SIGNATURE"
DOMAIN = "WAUTH.DOMAIN"
CHAIN = "WAUTH.CHAIN"
TOKEN = "WAUTH.TOKEN"
TIME = "WAUTH.TIME"

DIGEST_FILE_MAX = 1 << 20
"""Bytes; genuine ones with two certificate chains are under 20 KB."""
TIME_GAP_MAX = timedelta(minutes=10)
"""The signing service refuses packages that are older."""
CERTIFICATE_AGE_NOTED = timedelta(days=7)
"""Age of the domain's certificate from which it is noted; it decides nothing."""

_BOTH = {"hash", "created", "software", "signature", "version"}
_ANONYMOUS = _BOTH | {"publicKey"}
_DOMAIN = _BOTH | {"domain", "domainCert", "timeSignature", "timestampCert", "crossSignedCert"}
_LAW = ("CN-R17-4",)


@dataclass(frozen=True, slots=True)
class Signature:
    """`signer`: the note that names the state of the signer, one of the two axes of a package."""

    signer: str
    findings: tuple[Finding, ...]
    walks: tuple[Walk, ...] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """What checking `signedData` gave: findings in order, and what the walk draws."""

    findings: tuple[Finding, ...]
    signer: str
    label: str
    domain: bool
    anchor: str | None = None
    gen_time: datetime | None = None
    latest: datetime | None = None
    """genTime with its accuracy: what the authority vouches for."""
    token_anchor: str | None = None


def examine(
    container: Container,
    *,
    manifest: Manifest | None,
    manifest_bytes: bytes | None,
    package: Finding | None,
    source: Source,
    context: Context,
) -> Signature:
    """WAUTH-01 to WAUTH-09 for one package. `package`: whether the zip holds exactly what the manifest lists."""
    subject = f"{container.subject} · {DIGEST_FILE}"
    member = container.by_name.get(DIGEST_FILE)
    if member is None or manifest is None or manifest_bytes is None:
        return Signature("SIGNER_NONE", (indeterminate(DIGEST, Reason.NOT_SIGNED, subject),))
    try:
        data = container.read(member, limit=DIGEST_FILE_MAX, name="DIGEST_FILE_MAX")
        document = strict_json.loads(data or b"")
    except LimitReached as reached:
        over = indeterminate(
            DIGEST, Reason.RESOURCE_LIMIT, subject, actual=reached.limit, bearing=Bearing.DECISIVE
        )
        return Signature("SIGNER_NONE", (over,))
    except strict_json.JsonError as fault:
        return Signature(
            "SIGNER_BROKEN", (failed(DIGEST, Reason.FORMAT_FAILURE, subject, actual=quote(str(fault))),)
        )
    if not isinstance(document, dict):
        return Signature("SIGNER_BROKEN", (failed(DIGEST, Reason.FORMAT_FAILURE, subject),))
    signed = document.get("signedData")
    bound = _bound(document, signed, manifest_bytes, subject)
    if not isinstance(signed, dict):
        state = "SIGNER_BROKEN" if bound.outcome is Outcome.FAILED else "SIGNER_NONE"
        return Signature(state, (bound,))
    found = verify(signed, created=manifest.created, subject=subject, trust=context.trust, at=context.at)
    broken = bound.outcome is not Outcome.PASSED
    return Signature(
        "SIGNER_BROKEN" if broken else found.signer,
        (bound, *found.findings),
        (_walk(found, bound, package, source),) if package is not None else (),
    )


def verify(
    signed: Mapping[str, Any], *, created: str | None, subject: str, trust: TrustStore, at: datetime
) -> Signed:
    """WAUTH-02 to WAUTH-09: the signature over the text of `signed["hash"]`. `created`: what the manifest says."""
    anonymous = "publicKey" in signed
    fields = _fields(signed, created, subject, anonymous=anonymous)
    if anonymous:
        return _anonymous(signed, fields, subject)
    return _by_domain(signed, fields, subject, trust, at)


def _bound(document: Mapping[str, Any], signed: object, manifest_bytes: bytes, subject: str) -> Finding:
    """WAUTH-01: the manifest's own digest, the digest stated, and the digest signed are one."""
    actual = hashlib.sha256(manifest_bytes).digest()
    shown = f"SHA-256 {actual.hex()}"
    if document.get("path") != MANIFEST:
        return failed(DIGEST, Reason.FORMAT_FAILURE, subject, expected=MANIFEST)
    stated = [document.get("hash")]
    if isinstance(signed, dict):
        stated.append(signed.get("hash"))
    for text in stated:
        algorithm, due, fault = algorithm_and_digest(text) if isinstance(text, str) else (None, None, None)
        if due is None or algorithm != "SHA-256":
            if fault is Reason.DIGEST_ALGORITHM_UNKNOWN or (due is not None and algorithm != "SHA-256"):
                return indeterminate(DIGEST, Reason.DIGEST_ALGORITHM_UNKNOWN, subject)
            return failed(DIGEST, Reason.DIGEST_MALFORMED, subject)
        if due != actual:
            return failed(DIGEST, Reason.HASH_FAILURE, subject, expected=f"SHA-256 {due.hex()}", actual=shown)
    if not isinstance(signed, dict):
        return indeterminate(DIGEST, Reason.NOT_SIGNED, subject, actual=shown)
    return passed(DIGEST, subject, expected=shown, actual=shown)


def _fields(signed: Mapping[str, Any], created: str | None, subject: str, *, anonymous: bool) -> Finding:
    """WAUTH-02. Only `hash` is signed: `created` is bound through the manifest, which it must repeat."""
    unknown = sorted(set(signed) - (_ANONYMOUS if anonymous else _DOMAIN))
    if unknown or not (anonymous or "domain" in signed):
        shown = ", ".join(quote(u, length=40) for u in unknown[:5]) or None
        return indeterminate(FIELDS, Reason.UNSUPPORTED_FORMAT, subject, actual=shown)
    said = signed.get("created")
    if not isinstance(said, str) or created is None:
        return indeterminate(FIELDS, Reason.SIG_CONSTRAINTS_FAILURE, subject)
    if said != created:
        expected, actual = quote(created), quote(said)
        return failed(FIELDS, Reason.SIG_CONSTRAINTS_FAILURE, subject, expected=expected, actual=actual)
    return passed(FIELDS, subject, actual=quote(said))


def _anonymous(signed: Mapping[str, Any], fields: Finding, subject: str) -> Signed:
    """ECDSA with SHA-256 by a bare key, the signature as r‖s. The key names nobody, and no clock speaks."""
    from cryptography.hazmat.primitives.asymmetric import ec

    from ..keys import ecdsa

    key_bytes, signature = _decoded(signed, "publicKey"), _decoded(signed, "signature")
    key = _public_key(key_bytes) if key_bytes else None
    names = {"secp256r1": "P-256", "secp384r1": "P-384"}
    if key_bytes is None:
        finding = indeterminate(SIGNATURE, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in names:
        finding = indeterminate(SIGNATURE, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject)
    else:
        width = (key.key_size + 7) // 8
        numbers = key.public_numbers()
        point = numbers.x.to_bytes(width, "big") + numbers.y.to_bytes(width, "big")
        curve = names[key.curve.name]
        fits = (
            signature is not None
            and len(signature) == 2 * width
            and ecdsa.verify(
                point,
                (int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")),
                _message(signed),
                curve=curve,
            )
        )
        finding = _fit(fits, f"ECDSA {curve} SHA-256", subject)
    label = hashlib.sha256(key_bytes or b"").hexdigest()[:16]
    right = finding.outcome is Outcome.PASSED
    return Signed(
        findings=(fields, finding, indeterminate(TOKEN, Reason.NO_POE, subject, law=_LAW)),
        signer=f"SIGNER_ANONYMOUS_KEY:{label}" if right else "SIGNER_BROKEN",
        label=label,
        domain=False,
    )


def _by_domain(
    signed: Mapping[str, Any], fields: Finding, subject: str, trust: TrustStore, at: datetime
) -> Signed:
    from ..certificates import pem
    from ..keys import x509
    from ..timestamps import rfc3161

    host = signed.get("domain")
    host = host if isinstance(host, str) else ""
    chain = pem.read(_ascii(signed, "domainCert"))
    leaf = x509.Certificate(chain[0]) if chain else None
    signature = _domain_signature(signed, leaf, subject)
    token = None
    token_bytes = _decoded(signed, "timeSignature")
    if token_bytes is not None:
        token = rfc3161.verify_token(
            token_bytes,
            message=_ascii(signed, "signature"),
            subject=subject,
            trust=trust,
            at=at,
            certificates=pem.read(_ascii(signed, "timestampCert")),
        )
    gen_time = token.token.gen_time if token is not None and token.token is not None else None
    stamped = _token(token, signed, subject, at)
    crossed = pem.read(_ascii(signed, "crossSignedCert"))
    named, path = _domain(leaf, [*chain[1:], *crossed], host, gen_time or at, subject, trust, at)
    if path.reason is Reason.NOT_YET_VALID and stamped.outcome is Outcome.PASSED:
        # A key that signed, by a proven clock, before its certificate began contradicts that certificate.
        path = failed(CHAIN, Reason.NOT_YET_VALID, subject, actual=path.actual)
    time = _time(signed, gen_time, subject) if gen_time is not None else None
    anchor = path.actual if path.outcome is Outcome.PASSED else None
    logged = wacz_logs.finding(leaf, [*chain[1:], *crossed, *trust.web_roots], subject, trust)
    findings = (fields, signature, named, path, stamped, *((time,) if time else ()), *((logged,) if logged else ()))
    return Signed(
        findings=findings,
        signer=_signer(findings, host, gen_time),
        label=quote(host, length=80),
        domain=True,
        anchor=anchor,
        gen_time=gen_time,
        latest=token.token.latest if token is not None and token.token is not None else None,
        token_anchor=token.anchor if token is not None else None,
    )


def _domain_signature(signed: Mapping[str, Any], leaf: Any, subject: str) -> Finding:
    """WAUTH-03: DER ECDSA on P-256 or P-384, or RSA PKCS #1 v1.5 of 2048 bits and more, with SHA-256."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    from ..keys import public_key

    if leaf is None:
        return indeterminate(SIGNATURE, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    key = _public_key(leaf.spki)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"):
        scheme, label = public_key.Scheme("ECDSA", "SHA-256"), f"ECDSA {key.curve.name} SHA-256"
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= public_key.RSA_BITS_MIN:
        scheme, label = public_key.Scheme("RSA", "SHA-256"), f"RSA {key.key_size} SHA-256"
    else:
        return indeterminate(SIGNATURE, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject)
    signature = _decoded(signed, "signature")
    fits = signature is not None and public_key.verify(leaf.spki, scheme, _message(signed), signature)
    return _fit(fits, label, subject)


def _domain(
    leaf: Any,
    intermediates: list[bytes],
    host: str,
    moment: datetime,
    subject: str,
    trust: TrustStore,
    at: datetime,
) -> tuple[Finding, Finding]:
    """WAUTH-04 and WAUTH-05: the name, and the path to a pinned root at the time stamped, not now."""
    from ..keys import x509

    if leaf is None:
        missing = Reason.NO_SIGNING_CERTIFICATE_FOUND
        return indeterminate(DOMAIN, missing, subject), indeterminate(CHAIN, missing, subject)
    if x509.names_host(leaf, host):
        named = passed(DOMAIN, subject, actual=quote(host))
    else:
        named = failed(
            DOMAIN, Reason.CERT_HOST_MISMATCH, subject, expected=quote(host), actual=quote(leaf.name)
        )
    path = x509.validate(
        leaf.der,
        intermediates=intermediates,
        roots=trust.web_roots,
        at=moment,
        purpose=x509.Purpose.WEB_SERVER,
        host=host,
    )
    if path.anchor is None:
        reason = path.reason or Reason.NO_CERTIFICATE_CHAIN_FOUND
        if reason is Reason.CERT_HOST_MISMATCH:  # said by WAUTH.DOMAIN
            reason = Reason.CHAIN_CONSTRAINTS_FAILURE
        return named, indeterminate(CHAIN, reason, subject, actual=path.problem)
    notes = []
    root = x509.Certificate(path.anchor)
    if root.not_after < at:
        notes.append(f"ROOT_EXPIRED_SINCE:{instant(root.not_after)}")
    if moment - leaf.not_before > CERTIFICATE_AGE_NOTED:
        notes.append(f"CERT_AGE_OVER_POLICY:{(moment - leaf.not_before).days}")
    return named, passed(CHAIN, subject, actual=root.name, notes=tuple(notes))


def _token(found: Any, signed: Mapping[str, Any], subject: str, at: datetime) -> Finding:
    """WAUTH-06: the rungs of the time-stamp in one answer; the first that does not hold is named."""
    from ..certificates import pem
    from ..keys import cms

    if found is None:
        if signed.get("timeSignature") is None:
            return indeterminate(TOKEN, Reason.NO_POE, subject, law=_LAW)
        return failed(TOKEN, Reason.FORMAT_FAILURE, subject, law=_LAW)
    bad = [f for f in found.findings if f.outcome is not Outcome.PASSED and f.bearing is not Bearing.ADVISORY]
    worst = next((f for f in bad if f.outcome is Outcome.FAILED), bad[0] if bad else None)
    if worst is not None and worst.reason is not None:
        maker = failed if worst.outcome is Outcome.FAILED else indeterminate
        return maker(
            TOKEN,
            worst.reason,
            subject,
            expected=worst.expected,
            actual=worst.actual,
            notes=(f"TOKEN_RUNG:{worst.check}",),
            law=_LAW,
        )
    notes = []
    signer = cms.signing_certificate(found.token.signed, pem.read(_ascii(signed, "timestampCert")))
    if signer is not None and signer.not_after < at:
        notes.append(f"TSA_CERT_EXPIRED_SINCE:{instant(signer.not_after)}")
    return passed(TOKEN, subject, actual=instant(found.token.gen_time), notes=tuple(notes), law=_LAW)


def _time(signed: Mapping[str, Any], gen_time: datetime, subject: str) -> Finding:
    """WAUTH-07."""
    stated = signed.get("created")
    read = printed_time.read(stated, unit=None) if isinstance(stated, str) else None
    shown = quote(stated) if isinstance(stated, str) else None
    if read is None or read.instant is None:
        return indeterminate(TIME, Reason.TIME_ZONE_AMBIGUOUS, subject, actual=shown)
    if read.instant <= gen_time <= read.instant + TIME_GAP_MAX:
        return passed(TIME, subject, expected=instant(gen_time), actual=shown)
    return failed(TIME, Reason.TIMESTAMP_ORDER_FAILURE, subject, expected=instant(gen_time), actual=shown)


def _signer(findings: tuple[Finding, ...], host: str, gen_time: datetime | None) -> str:
    states = {f.check: f.outcome for f in findings if f.bearing is not Bearing.ADVISORY}
    if Outcome.FAILED in states.values():
        return "SIGNER_BROKEN"
    if states[SIGNATURE] is not Outcome.PASSED or states[CHAIN] is not Outcome.PASSED:
        return "SIGNER_UNTRUSTED_ROOT"
    at = f" {instant(gen_time)}" if gen_time is not None and states[TOKEN] is Outcome.PASSED else ""
    return f"SIGNER_DOMAIN:{quote(host, length=80)}{at}"


def _walk(found: Signed, bound: Finding, package: Finding, source: Source) -> Walk:
    """file –hashes→ manifest –digest→ signed digest –signature→ signature –domain, chain→ pinned root –token→ time-stamp
    –time→ pinned root of the authority. Without a trusted time nothing is proven: the walk ends at the missing token."""
    by_check = {f.check: f for f in found.findings}
    ok = Outcome.PASSED
    token = by_check[TOKEN]
    nodes = [
        Node(NodeKind.FILE, source.name),
        Node(NodeKind.MANIFEST, MANIFEST),
        Node(NodeKind.DIGEST, (bound.actual or "–")[: len("SHA-256 ") + 16]),
        Node(NodeKind.STATEMENT, DIGEST_FILE),
        Node(NodeKind.SIGNATURE, found.label),
    ]
    edges = [package, bound, by_check[FIELDS], by_check[SIGNATURE]]
    if found.domain:
        nodes += [Node(NodeKind.CERTIFICATE, found.label), Node(NodeKind.CERTIFICATE, found.anchor or "–")]
        edges += [by_check[DOMAIN], by_check[CHAIN]]
    if TIME in by_check:
        nodes.append(Node(NodeKind.TOKEN, instant(found.gen_time) if found.gen_time else "–"))
        edges.append(token)
    nodes.append(Node(NodeKind.ANCHOR, found.token_anchor or "–"))
    edges.append(by_check.get(TIME, token))
    steps = tuple(step(nodes[i], nodes[i + 1], edge) for i, edge in enumerate(edges))
    proven = token.outcome is ok
    bound_to_key = all(e.outcome is ok for e in (package, bound, by_check[SIGNATURE]))
    chained = found.domain and bound_to_key and all(by_check[c].outcome is ok for c in (DOMAIN, CHAIN))
    return Walk(
        source=f"{source.name} · {DIGEST_FILE}",
        file=source.sha256,
        steps=steps,
        grade=(Grade.A if proven else Grade.D) if chained else Grade.E,
        state=ProofState.PROVEN if proven and chained else ProofState.ASSERTED,
        time=ProvenTime(found.latest, "TSA") if proven and found.latest is not None else None,
    )


def _fit(fits: bool, label: str, subject: str) -> Finding:
    if fits:
        return passed(SIGNATURE, subject, actual=label)
    return failed(SIGNATURE, Reason.SIG_CRYPTO_FAILURE, subject, actual=label)


def _message(signed: Mapping[str, Any]) -> bytes:
    """What is signed: the text of `hash` as it stands, prefix and all."""
    return _ascii(signed, "hash")


def _ascii(signed: Mapping[str, Any], name: str) -> bytes:
    value = signed.get(name)
    return value.encode("ascii") if isinstance(value, str) and value.isascii() else b""


def _decoded(signed: Mapping[str, Any], name: str) -> bytes | None:
    value = signed.get(name)
    try:
        return base64_bytes(value) if isinstance(value, str) else None
    except CodecError:
        return None


def _public_key(spki: bytes) -> Any:
    """The key object, or None when the bytes are no key that is read."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None
