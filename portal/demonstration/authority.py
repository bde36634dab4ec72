"""The demonstration court's own certificate authority: a root, an electronic seal, a time-stamping authority, a revocation list.

Everything is named *demonstration*, lies in one directory and protects nothing. Layout, read by `evidence.reports.signing`:

    seal.p12  seal.passphrase        the court's electronic seal (e-seal) with its chain
    tsa.p12   tsa.passphrase         the local time-stamping authority
    roots/root.pem  crls/root.crl    what validators of our reports trust, and the current revocation list
    seals/seal.pem                   the e-seal's certificate: which of the certificates under the root is the court's seal
    people/NAME.p12 NAME.passphrase  personal keys of the court's staff; people-certs/NAME.pem their certificates
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEARS = 10
CRL_DAYS = 365
CRL_RENEW_DAYS = 30
"""A revocation list with fewer days left than this is issued anew at start."""


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    certificate: x509.Certificate
    key: Key


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "演示法院 DEMONSTRATION COURT"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def make_root(*, at: dt.datetime) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = name("演示根证书 DEMONSTRATION ROOT — NOT FOR USE")
    certificate = (
        _builder(subject, subject, key.public_key(), at=at, years=2 * YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Issued(certificate, key)


def issue(root: Issued, *, common: str, at: dt.datetime, time_stamping: bool = False) -> Issued:
    """A leaf under the root: an e-seal or a person (content commitment), or a time-stamping certificate (RFC 3161 §2.3)."""
    # The time-stamping engine used here signs with RSA only, and checks the whole key again for each stamp: three times
    # the work with 3072 bits, for a key that protects nothing.
    key: Key = rsa.generate_private_key(65537, 2048) if time_stamping else ec.generate_private_key(ec.SECP256R1())
    return Issued(certify(root, key.public_key(), common=common, at=at, time_stamping=time_stamping), key)


def certify(root: Issued, public: Any, *, common: str, at: dt.datetime, time_stamping: bool = False) -> x509.Certificate:
    """The certificate alone, for a key that is made elsewhere (in a token)."""
    builder = (
        _builder(name(common), root.certificate.subject, public, at=at, years=YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False
        )
    )
    if time_stamping:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(root.key, hashes.SHA256())


def revocation_list(root: Issued, *, at: dt.datetime) -> x509.CertificateRevocationList:
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(at - dt.timedelta(minutes=5))
        .next_update(at + dt.timedelta(days=CRL_DAYS))
        .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False
        )
        .sign(root.key, hashes.SHA256())
    )


def ensure(directory: Path, *, at: dt.datetime, people: Mapping[str, str] | None = None) -> None:
    """Make the authority once; renew its revocation list when it runs out. Files are readable by the owner only.

    people   user name -> name, of those who get a personal key if they have none
    """
    if not (directory / "roots" / "root.pem").exists():
        _make(directory, at=at)
    for user_name, full_name in (people or {}).items():
        if not (directory / "people-certs" / f"{user_name}.pem").exists():
            _enrol(directory, user_name, full_name, at=at)
    crl_file = directory / "crls" / "root.crl"
    left = x509.load_der_x509_crl(crl_file.read_bytes()).next_update_utc
    if left is None or left - at < dt.timedelta(days=CRL_RENEW_DAYS):
        _write(crl_file, revocation_list(root_of(directory), at=at).public_bytes(Encoding.DER))


def root_of(directory: Path) -> Issued:
    return Issued(
        x509.load_pem_x509_certificate((directory / "roots" / "root.pem").read_bytes()),
        load_pem_private_key((directory / "root.key").read_bytes(), None),  # type: ignore[arg-type]
    )


def _enrol(directory: Path, user_name: str, full_name: str, *, at: dt.datetime) -> None:
    for folder in (directory / "people", directory / "people-certs"):
        folder.mkdir(exist_ok=True, mode=0o700)
    root = root_of(directory)
    person = issue(root, common=f"{full_name} DEMONSTRATION", at=at)
    _write_key(directory / "people" / user_name, person, root)
    _write(directory / "people-certs" / f"{user_name}.pem", person.certificate.public_bytes(Encoding.PEM))


def _write_key(place: Path, issued: Issued, root: Issued) -> None:
    """`place` without its suffix: the key under a passphrase of its own, with its chain."""
    passphrase = secrets.token_urlsafe(24).encode()
    _write(place.with_name(f"{place.name}.passphrase"), passphrase)
    _write(
        place.with_name(f"{place.name}.p12"),
        pkcs12.serialize_key_and_certificates(
            place.name.encode(), issued.key, issued.certificate, [root.certificate], BestAvailableEncryption(passphrase)
        ),
    )


def _make(directory: Path, *, at: dt.datetime) -> None:
    root = make_root(at=at)
    seal = issue(root, common="演示法院电子签章 DEMONSTRATION E-SEAL", at=at)
    tsa = issue(root, common="演示时间戳 DEMONSTRATION TSA", at=at, time_stamping=True)
    for folder in (directory, directory / "crls", directory / "roots", directory / "seals"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(
        directory / "root.key",
        root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    for label, issued in (("seal", seal), ("tsa", tsa)):
        _write_key(directory / label, issued, root)
    _write(directory / "crls" / "root.crl", revocation_list(root, at=at).public_bytes(Encoding.DER))
    _write(directory / "seals" / "seal.pem", seal.certificate.public_bytes(Encoding.PEM))
    _write(directory / "roots" / "root.pem", root.certificate.public_bytes(Encoding.PEM))


def _write(file: Path, data: bytes) -> None:
    temporary = file.with_suffix(file.suffix + ".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(data)
    temporary.rename(file)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: Any, *, at: dt.datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - dt.timedelta(days=1))
        .not_valid_after(at + dt.timedelta(days=365 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
