"""A throw-away authority whose certificates end after months, and whose lists run out after days, in a time that tests make up."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIST_DAYS = 30


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC, hour=12)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Years:
    """`directory`: a signing directory, as `keyring`, `stamping` and `checking` read it."""

    directory: Path
    root_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    revoked: dict[int, dt.datetime] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    common: str = "ROOT OF YEARS"

    def __post_init__(self) -> None:
        for folder in ("roots", "crls", "seals", "people", "people-certs"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        self.root = (
            self._builder(self.common, self.root_key.public_key(), "2020-01-01", "2060-01-01")
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.root_key, hashes.SHA256())
        )
        (self.directory / "roots" / "root.pem").write_bytes(self.root.public_bytes(Encoding.PEM))

    def _builder(self, common: str, public: object, begin: str, end: str) -> x509.CertificateBuilder:
        serial = x509.random_serial_number()
        self.serials[common] = serial
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(_name(self.common))
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(serial)
            .not_valid_before(day(begin))
            .not_valid_after(day(end))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]
        )

    def _put(self, place: str, common: str, begin: str, end: str, *, stamping: bool = False) -> x509.Certificate:
        key = rsa.generate_private_key(65537, 2048) if stamping else ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(common, key.public_key(), begin, end).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if stamping:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        certificate = builder.sign(self.root_key, hashes.SHA256())
        (self.directory / f"{place}.passphrase").write_bytes(b"secret")
        sealed = pkcs12.serialize_key_and_certificates(b"k", key, certificate, [self.root], BestAvailableEncryption(b"secret"))
        (self.directory / f"{place}.p12").write_bytes(sealed)
        return certificate

    def seal(self, begin: str, end: str, common: str = "SEAL") -> None:
        certificate = self._put("seal", common, begin, end)
        (self.directory / "seals" / f"{common}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    def person(self, user: str, begin: str, end: str) -> None:
        certificate = self._put(f"people/{user}", user, begin, end)
        (self.directory / "people-certs" / f"{user}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    def stamps(self, begin: str, end: str, common: str) -> None:
        """From now on this is the time-stamping authority."""
        self._put("tsa", common, begin, end, stamping=True)

    def revoke(self, common: str, since: str) -> None:
        self.revoked[self.serials[common]] = day(since)

    def list(self, on: str, *, gone: tuple[str, ...] = ()) -> dt.datetime:
        """The revocation list of that day, the only one in the directory. `gone`: expired certificates that it leaves out."""
        at = day(on)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(at - dt.timedelta(hours=1))
            .next_update(at + dt.timedelta(days=LIST_DAYS))
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        )
        left_out = {self.serials[name] for name in gone}
        for serial, since in self.revoked.items():
            if serial not in left_out and since <= at:
                builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build())
        (self.directory / "crls" / "root.crl").write_bytes(builder.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.DER))
        return at
