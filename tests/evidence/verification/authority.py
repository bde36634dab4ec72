"""Certificate authorities and time-stamp tokens for tests, built field by field with `cryptography` and asn1crypto.

SM2 keys and signatures come from gmalg, an implementation that shares nothing with the engine's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import gmalg
from asn1crypto import algos, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2040, 1, 1, tzinfo=UTC)
WHEN = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)

TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Holder:
    """A key with its certificate."""

    key: Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def issue(
    subject: str,
    *,
    by: Holder | None = None,
    key: Any = None,
    ca: bool = False,
    path_length: int | None = None,
    eku: Sequence[x509.ObjectIdentifier] = (),
    eku_critical: bool = True,
    key_usage: str | None = "default",
    dns: Sequence[str] = (),
    begin: datetime = BEGIN,
    end: datetime = END,
    digest: hashes.HashAlgorithm | None = None,
    padding: Any = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    basic_constraints: bool = True,
) -> Holder:
    """A certificate for `subject`, signed by `by` or by itself. `key_usage`: default, none, sign or cert."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer_key = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(by.certificate.subject if by else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if basic_constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    usage = {"default": "cert" if ca else "sign", "none": None}.get(key_usage or "none", key_usage)
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=usage == "sign",
                content_commitment=False,
                key_encipherment=usage == "encipher",
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=usage == "cert",
                crl_sign=usage == "cert",
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(eku)), critical=eku_critical)
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(d) for d in dns]), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return Holder(key, builder.sign(issuer_key, algorithm, rsa_padding=padding))


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@dataclass
class Sm2Holder:
    """An SM2 key with its certificate (DER)."""

    signer: Any
    public: bytes
    der: bytes
    subject: str

    def sign(self, message: bytes) -> bytes:
        r, s = (int.from_bytes(v, "big") for v in self.signer.sign(message))
        return bytes(algos.DSASignature({"r": r, "s": s}).dump())


def issue_sm2(subject: str, *, secret: int, by: Sm2Holder | None = None, ca: bool = False, tsa: bool = False) -> Sm2Holder:
    """An SM2 certificate signed with SM2-with-SM3 (1.2.156.10197.1.501), encoded with asn1crypto."""
    sk = secret.to_bytes(32, "big")
    public = gmalg.SM2(sk).generate_pk(sk)[-64:]
    holder = Sm2Holder(gmalg.SM2(sk, b"1234567812345678", b"\x04" + public), public, b"", subject)
    algorithm = bytes.fromhex("300a06082a811ccf55018375")
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004") + public
    extensions: list[dict[str, Any]] = [
        {"extn_id": "basic_constraints", "critical": True, "extn_value": asn1_x509.BasicConstraints({"ca": ca})},
        {
            "extn_id": "key_usage",
            "critical": True,
            "extn_value": asn1_x509.KeyUsage({"key_cert_sign"} if ca else {"digital_signature"}),
        },
    ]
    if tsa:
        purposes = asn1_x509.ExtKeyUsageSyntax(["time_stamping"])
        extensions.append({"extn_id": "extended_key_usage", "critical": True, "extn_value": purposes})
    validity = asn1_x509.Validity({"not_before": _utc(BEGIN), "not_after": _utc(END)})
    fields = [
        bytes.fromhex("a003020102"),
        core.Integer(secret + (by is not None)).dump(),
        algorithm,
        asn1_x509.Name.build({"common_name": by.subject if by else subject}).dump(),
        validity.dump(),
        asn1_x509.Name.build({"common_name": subject}).dump(),
        spki,
        asn1_x509.TbsCertificate({"extensions": extensions})["extensions"].dump(),
    ]
    tbs = sequence(*fields)
    holder.der = sequence(tbs, algorithm, core.BitString(_bits((by or holder).sign(tbs))).dump())
    return holder


def _bits(data: bytes) -> tuple[int, ...]:
    return tuple(byte >> (7 - i) & 1 for byte in data for i in range(8))


def _utc(moment: datetime) -> asn1_x509.Time:
    return asn1_x509.Time({"utc_time": core.UTCTime(moment)})


def sequence(*members: bytes) -> bytes:
    body = b"".join(members)
    length = len(body)
    if length < 128:
        return b"\x30" + bytes([length]) + body
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return b"\x30" + bytes([0x80 | len(octets)]) + octets + body


@dataclass
class TokenPlan:
    """Everything that goes into a token; tests change one thing at a time."""

    message: bytes
    signer: Holder | Sm2Holder
    embed: Sequence[bytes] = ()
    when: datetime = WHEN
    digest: str = "sha256"
    imprint_oid: str | None = None
    imprint: bytes | None = None
    policy: str = "1.2.3.4.5"
    serial: int = 4711
    accuracy: dict[str, int] | None = field(default_factory=lambda: {"seconds": 1})
    ess: str = "v2"
    ess_der: bytes | None = None
    sid_der: bytes | None = None
    signers: int = 1
    digest_algorithm: str = "2.16.840.1.101.3.4.2.1"
    signature_algorithm: bytes | None = None
    content_type: str = "1.2.840.113549.1.9.16.1.4"
    signed_content_type: str | None = None
    message_digest: bytes | None = None
    repeat_attribute: bool = False
    sort_attributes: bool = True
    frame: str = "1.2.840.113549.1.7.2"


SHA256_WITH_ECDSA = bytes.fromhex("300a06082a8648ce3d040302")
SM2_WITH_SM3 = bytes.fromhex("300a06082a811ccf55018375")
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def tst_info(plan: TokenPlan) -> bytes:
    hashed = plan.imprint if plan.imprint is not None else hashlib.new(plan.digest, plan.message).digest()
    oids = {
        "sha256": "2.16.840.1.101.3.4.2.1",
        "sha512": "2.16.840.1.101.3.4.2.3",
        "sha1": "1.3.14.3.2.26",
        "md5": "1.2.840.113549.2.5",
        "sm3": "1.2.156.10197.1.401",
    }
    algorithm = sequence(core.ObjectIdentifier(plan.imprint_oid or oids[plan.digest]).dump())
    fields = [
        core.Integer(1).dump(),
        core.ObjectIdentifier(plan.policy).dump(),
        sequence(algorithm, core.OctetString(hashed).dump()),
        core.Integer(plan.serial).dump(),
        core.GeneralizedTime(plan.when).dump(),
    ]
    if plan.accuracy is not None:
        fields.append(tsp.Accuracy(plan.accuracy).dump())
    return sequence(*fields)


def token(plan: TokenPlan) -> bytes:
    """A ContentInfo as DER, assembled by hand so that any field can be wrong."""
    info = tst_info(plan)
    md = plan.digest_algorithm
    attributes = [
        _attribute("1.2.840.113549.1.9.3", core.ObjectIdentifier(plan.signed_content_type or plan.content_type).dump()),
        _attribute(
            "1.2.840.113549.1.9.4", core.OctetString(plan.message_digest or _digest(md, info)).dump()
        ),
    ]
    bound = plan.ess_der or plan.signer.der
    if plan.ess in ("v1", "both"):
        cert_id = sequence(core.OctetString(hashlib.sha1(bound, usedforsecurity=False).digest()).dump())
        attributes.append(_attribute("1.2.840.113549.1.9.16.2.12", sequence(sequence(cert_id))))
    if plan.ess in ("v2", "both"):
        cert_id = sequence(core.OctetString(hashlib.sha256(bound).digest()).dump())
        attributes.append(_attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(cert_id))))
    if plan.repeat_attribute:
        attributes.append(attributes[1])
    attributes.sort(reverse=not plan.sort_attributes)
    signed = b"".join(attributes)
    to_sign = b"\x31" + sequence(signed)[1:]
    if isinstance(plan.signer, Sm2Holder):
        algorithm, signature = plan.signature_algorithm or SM2_WITH_SM3, plan.signer.sign(to_sign)
    elif isinstance(plan.signer.key, rsa.RSAPrivateKey):
        from cryptography.hazmat.primitives.asymmetric import padding

        algorithm = plan.signature_algorithm or SHA256_WITH_RSA
        signature = plan.signer.key.sign(to_sign, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm = plan.signature_algorithm or SHA256_WITH_ECDSA
        signature = plan.signer.key.sign(to_sign, ec.ECDSA(hashes.SHA256()))
    named = plan.sid_der or plan.signer.der
    parsed = asn1_x509.Certificate.load(named)
    sid = sequence(parsed.issuer.dump(), parsed["tbs_certificate"]["serial_number"].dump())
    digest_algorithm = sequence(core.ObjectIdentifier(md).dump())
    signer_info = sequence(
        core.Integer(1).dump(),
        sid,
        digest_algorithm,
        b"\xa0" + to_sign[1:],
        algorithm,
        core.OctetString(signature).dump(),
    )
    content = b"\xa0" + sequence(core.OctetString(info).dump())[1:]
    fields = [
        core.Integer(3).dump(),
        b"\x31" + sequence(digest_algorithm)[1:],
        sequence(core.ObjectIdentifier(plan.content_type).dump(), content),
    ]
    if plan.embed:
        fields.append(b"\xa0" + sequence(*plan.embed)[1:])
    fields.append(b"\x31" + sequence(*[signer_info] * plan.signers)[1:])
    signed_data = sequence(*fields)
    return sequence(core.ObjectIdentifier(plan.frame).dump(), b"\xa0" + sequence(signed_data)[1:])


def response(plan: TokenPlan, *, status: int = 0) -> bytes:
    return sequence(sequence(core.Integer(status).dump()), token(plan))


def _attribute(oid: str, value: bytes) -> bytes:
    return sequence(core.ObjectIdentifier(oid).dump(), b"\x31" + sequence(value)[1:])


def _digest(oid: str, data: bytes) -> bytes:
    names = {
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.3": "sha512",
        "1.3.14.3.2.26": "sha1",
        "1.2.156.10197.1.401": "sm3",
    }
    return hashlib.new(names[oid], data).digest()
