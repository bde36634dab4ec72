"""What a person compares of a certificate before the court trusts it: names, validity, fingerprint."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

SM2_CURVE = "1.2.156.10197.1.301"


@dataclass(frozen=True, slots=True)
class Facts:
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    """SHA-256 of the DER certificate, lower-case hex."""
    key: str
    pem: bytes

    @property
    def common_name(self) -> str:
        """The last and most telling part of the subject."""
        return next((p.removeprefix("CN=") for p in self.subject.split(", ") if p.startswith("CN=")), self.subject)

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer

    def expired(self, at: datetime) -> bool:
        return self.not_after < at


@dataclass(frozen=True, slots=True)
class RevocationList:
    issuer: str
    updated: datetime
    until: datetime | None
    revoked: int
    der: bytes

    @property
    def common_name(self) -> str:
        return next((p.removeprefix("CN=") for p in self.issuer.split(", ") if p.startswith("CN=")), self.issuer)


def revocation_list(data: bytes) -> RevocationList | None:
    """A revocation list in DER or PEM; None when it is none."""
    try:
        read = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl
        found = read(data)
        return RevocationList(
            issuer=_name(found.issuer),
            updated=found.last_update_utc,
            until=found.next_update_utc,
            revoked=len(found),
            der=found.public_bytes(Encoding.DER),
        )
    except ValueError:
        return None


def facts(pem: bytes) -> Sequence[Facts]:
    """Of every certificate in a PEM text. ValueError when there is none, or one cannot be read."""
    return [_of(c) for c in x509.load_pem_x509_certificates(pem)]


def _of(certificate: x509.Certificate) -> Facts:
    return Facts(
        subject=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        key=_key(certificate),
        pem=certificate.public_bytes(Encoding.PEM),
    )


def _name(name: x509.Name) -> str:
    return ", ".join(a.rfc4514_string() for a in reversed(list(name)))


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "SM2" if SM2_CURVE in _curve(certificate) else certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "SM2" if key.curve.name == "sm2" else f"ECDSA {key.curve.name}"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__.removesuffix("PublicKey")


def _curve(certificate: x509.Certificate) -> str:
    """The object identifiers in the key's algorithm, for curves that the library does not know."""
    from asn1crypto import x509 as asn1

    found = asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
    parameters = found["tbs_certificate"]["subject_public_key_info"]["algorithm"]["parameters"]
    return str(getattr(parameters, "native", ""))
