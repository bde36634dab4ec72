"""CMS SignedData with one signer (RFC 5652 §5), as time-stamp tokens carry it.

asn1crypto reads it, BER included: indefinite lengths and unsorted SETs occur in tokens of real authorities. What is
hashed is DER all the same (§5.4). GM/T 0010 messages differ only in their content type identifier and algorithms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import digests
from ..codecs import ber
from ..reasons import Reason
from ..verdict import Outcome
from . import public_key
from .public_key import DIGEST_NAMES, UnsupportedKey
from .x509 import Certificate, CertificateError

SIGNED_DATA = ("1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2")
"""id-signedData of RFC 5652 and of GM/T 0010-2012."""

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
"""Unsigned attribute: a time-stamp over the signature value (RFC 3161 appendix A)."""
REVOCATION_ARCHIVE = "1.2.840.113583.1.1.8"
"""Signed attribute adbe-revocationInfoArchival (ISO 32000-1 §12.8.3.3.2)."""

CERTIFICATES_MAX = 50
"""Certificates in one message; real tokens embed up to five."""
TIME_STAMPS_MAX = 8
"""Time-stamps on one signature; one is usual."""

ASN1_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What asn1crypto raises on hostile bytes; it reads lazily, so that any access may raise."""


class CmsError(ValueError):
    """Not one SignedData message of the form that is due. The message names the offence."""


class CmsUnsupported(CmsError):
    """A message that may be well-formed, of a kind that is not read: several signers, no signed attributes, …"""


@dataclass(frozen=True, slots=True)
class SignedData:
    """`attributes`: signed attributes, identifier -> its one value (asn1crypto object).

    `signed_encodings`: the signed attributes with the SET tag, as DER and, where that differs, as transmitted: some signers
    hash what they send. Either was signed or not; both carry the same attributes.
    """

    content_type: str
    content: bytes
    certificates: tuple[bytes, ...]
    issuer: Any
    serial: int
    digest: str | None
    digest_oid: str
    signature_algorithm: bytes
    signature: bytes
    attributes: Mapping[str, Any]
    signed_encodings: tuple[bytes, ...]
    time_stamps: tuple[bytes, ...] = ()
    """Tokens over `signature` that stand in its unsigned attributes."""
    revocation_lists: tuple[bytes, ...] = ()
    """DER, as the message carries them: data of the party, each still to be checked against its issuer."""
    ocsp_answers: tuple[bytes, ...] = ()
    """OCSP responses, likewise."""


def parse(data: bytes, *, detached: bytes | None = None) -> SignedData:
    """ContentInfo bytes (BER) -> SignedData. Raises CmsError and nothing else.

    detached   what was signed, when the message must not hold it itself
    """
    try:
        return _parse(data, detached)
    except CmsError:
        raise
    except ASN1_FAULTS as fault:
        raise CmsError("not a readable CMS message") from fault


def _parse(data: bytes, detached: bytes | None) -> SignedData:
    from asn1crypto import (
        cms,
        core,
        tsp,  # noqa: F401  registers attributes with `cms`: always here, so that nothing depends on who imported it before
    )

    class ContentInfo(core.Sequence):  # type: ignore[misc, unused-ignore]
        """The outer frame with any content type, so that GM/T 0010's own needs no change to asn1crypto's tables."""

        _fields = [("content_type", core.ObjectIdentifier), ("content", core.Any, {"explicit": 0})]

    frame = ContentInfo.load(data, strict=True)
    if frame["content_type"].dotted not in SIGNED_DATA:
        raise CmsError("not signed data")
    signed = frame["content"].parse(cms.SignedData)
    signers = signed["signer_infos"]
    if len(signers) != 1:
        raise CmsUnsupported(f"{len(signers)} signers where one is due")
    signer = signers[0]
    inside = signed["encap_content_info"]["content"]
    content = b"" if isinstance(inside, core.Void) else bytes(inside)
    if detached is None and not content:
        raise CmsError("no content inside the signed data")
    if detached is not None and not isinstance(inside, core.Void):
        raise CmsUnsupported("content inside a detached signature")
    if signer["sid"].name != "issuer_and_serial_number":
        raise CmsUnsupported("signer not named by issuer and serial number")
    transmitted = signer["signed_attrs"]
    if not transmitted:
        raise CmsUnsupported("no signed attributes")
    sent = ber.encode(b"\x31", transmitted.contents)
    return SignedData(
        content_type=signed["encap_content_info"]["content_type"].dotted,
        content=content if detached is None else detached,
        certificates=_certificates(signed["certificates"]),
        issuer=signer["sid"].chosen["issuer"],
        serial=int(signer["sid"].chosen["serial_number"].native),
        digest=DIGEST_NAMES.get(signer["digest_algorithm"]["algorithm"].dotted),
        digest_oid=signer["digest_algorithm"]["algorithm"].dotted,
        signature_algorithm=signer["signature_algorithm"].dump(),
        signature=bytes(signer["signature"].native),
        attributes=_attributes(transmitted),
        signed_encodings=tuple(dict.fromkeys((ber.to_der(sent), sent))),
        time_stamps=_time_stamps(signer["unsigned_attrs"]),
        **_revocation(signed["crls"], transmitted),
    )


def _time_stamps(attributes: Any) -> tuple[bytes, ...]:
    found = [
        value.dump()
        for attribute in attributes or ()
        if attribute["type"].dotted == SIGNATURE_TIME_STAMP
        for value in attribute["values"]
    ]
    if len(found) > TIME_STAMPS_MAX:
        raise CmsError("too many time-stamps")
    return tuple(found)


def _revocation(choices: Any, attributes: Any) -> dict[str, tuple[bytes, ...]]:
    """Lists of the message (RFC 5652 §5.1 `crls`); lists and answers of Adobe's archive attribute."""
    from asn1crypto import core, crl, ocsp

    class Lists(core.SequenceOf):  # type: ignore[misc, unused-ignore]
        _child_spec = crl.CertificateList

    class Answers(core.SequenceOf):  # type: ignore[misc, unused-ignore]
        _child_spec = ocsp.OCSPResponse

    lists = [c.chosen.dump() for c in choices or () if c.name == "certificate_list"]
    answers: list[bytes] = []
    for attribute in attributes:
        if attribute["type"].dotted == REVOCATION_ARCHIVE:
            # SEQUENCE { crl [0] EXPLICIT SEQUENCE OF CertificateList, ocsp [1] EXPLICIT SEQUENCE OF OCSPResponse, … }
            for part in core.Sequence.load(attribute["values"][0].dump(), strict=True):
                if (part.class_, part.tag) == (2, 0):
                    lists += [c.dump() for c in Lists.load(part.contents, strict=True)]
                elif (part.class_, part.tag) == (2, 1):
                    answers += [a.dump() for a in Answers.load(part.contents, strict=True)]
    return {"revocation_lists": tuple(dict.fromkeys(lists)), "ocsp_answers": tuple(dict.fromkeys(answers))}


def _certificates(choices: Any) -> tuple[bytes, ...]:
    if not choices:
        return ()
    if len(choices) > CERTIFICATES_MAX:
        raise CmsError("too many certificates")
    return tuple(c.chosen.dump() for c in choices if c.name == "certificate")


def _attributes(attributes: Any) -> dict[str, Any]:
    """RFC 5652 §11: each of the attributes that matter stands once, with one value."""
    found: dict[str, Any] = {}
    for attribute in attributes:
        oid = attribute["type"].dotted
        if oid in found:
            raise CmsError(f"signed attribute {oid} twice")
        values = attribute["values"]
        if oid in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2):
            if len(values) != 1:
                raise CmsError(f"signed attribute {oid} without exactly one value")
            found[oid] = values[0]
    for oid in (CONTENT_TYPE, MESSAGE_DIGEST):
        if oid not in found:
            raise CmsError(f"no signed attribute {oid}")
    return found


def signing_certificate(
    signed: SignedData, candidates: Sequence[bytes], *, bound: bool = True
) -> Certificate | None:
    """The candidate (DER) that the message names by issuer and serial number and binds by its digest (RFC 5035 §5), or None.

    bound   False: a message that binds none by digest is served too (plain CMS does not ask for it)

    Never chosen by the shape of a chain: an embedded certificate that merely looks like a signer's is not the signer's.
    """
    from asn1crypto import x509

    bindings = _bindings(signed)
    if not bindings and (bound or is_bound(signed)):
        return None
    for data in sorted(set(candidates)):
        if not all(digests.digest(algorithm, data) == expected for algorithm, expected in bindings):
            continue
        try:
            found = Certificate(data)
            named = x509.Certificate.load(data, strict=True)
            if named.issuer == signed.issuer and found.serial == signed.serial:
                return found
        except (CertificateError, *ASN1_FAULTS):
            continue
    return None


def is_bound(signed: SignedData) -> bool:
    """Whether the message says at all which certificate is the signer's, by its digest."""
    return bool({SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2} & set(signed.attributes))


def _bindings(signed: SignedData) -> list[tuple[str, bytes]]:
    """(algorithm, digest) of the signer's certificate from ESSCertID (SHA-1) and ESSCertIDv2; empty when none can be used.

    The digest of ESSCertID only binds which certificate was meant; that it is SHA-1 weakens nothing that is signed.
    """
    from asn1crypto import tsp

    found: list[tuple[str, bytes]] = []
    try:
        if (first := signed.attributes.get(SIGNING_CERTIFICATE)) is not None:
            named = tsp.SigningCertificate.load(first.dump(), strict=True)["certs"][0]
            found.append(("SHA-1", bytes(named["cert_hash"].native)))
        if (second := signed.attributes.get(SIGNING_CERTIFICATE_V2)) is not None:
            named = tsp.SigningCertificateV2.load(second.dump(), strict=True)["certs"][0]
            algorithm = DIGEST_NAMES.get(named["hash_algorithm"]["algorithm"].dotted)
            if algorithm is None:
                return []
            found.append((algorithm, bytes(named["cert_hash"].native)))
    except ASN1_FAULTS:
        return []
    return found


def check_signature(signed: SignedData, signer: Certificate) -> tuple[Outcome, Reason | None, str]:
    """§5.6: content type and message digest as signed, and the signature over the signed attributes by `signer`.

    Returns the outcome, the reason and what to show (the algorithm, or what is wrong).
    """
    from asn1crypto import core

    try:
        declared = core.ObjectIdentifier.load(signed.attributes[CONTENT_TYPE].dump(), strict=True).dotted
        stated = bytes(core.OctetString.load(signed.attributes[MESSAGE_DIGEST].dump(), strict=True).native)
    except ASN1_FAULTS:
        return Outcome.FAILED, Reason.SIG_CRYPTO_FAILURE, "malformed signed attributes"
    if declared != signed.content_type:
        return Outcome.FAILED, Reason.SIG_CRYPTO_FAILURE, f"content type {declared}"
    if signed.digest is None:
        return Outcome.INDETERMINATE, Reason.CRYPTO_CONSTRAINTS_FAILURE, f"digest algorithm {signed.digest_oid}"
    if digests.digest(signed.digest, signed.content) != stated:
        return Outcome.FAILED, Reason.SIG_CRYPTO_FAILURE, "message digest"
    try:
        scheme = public_key.scheme(signed.signature_algorithm, digest=signed.digest)
        weakness = public_key.weakness(signer.spki)
        valid = any(
            public_key.verify(signer.spki, scheme, encoding, signed.signature)
            for encoding in signed.signed_encodings
        )
    except UnsupportedKey as fault:
        return Outcome.INDETERMINATE, Reason.CRYPTO_CONSTRAINTS_FAILURE, str(fault)
    label = f"{scheme.kind} {scheme.digest}" if scheme.digest else scheme.kind
    if not valid:
        return Outcome.FAILED, Reason.SIG_CRYPTO_FAILURE, label
    if scheme.broken or signed.digest in digests.BROKEN or weakness:
        return Outcome.INDETERMINATE, Reason.CRYPTO_CONSTRAINTS_FAILURE, weakness or f"{label}, {signed.digest}"
    return Outcome.PASSED, None, label
