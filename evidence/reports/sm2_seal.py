"""The court's second e-seal: SM2 with SM3 (GM/T 0003, GB/T 35276) over the same report, beside the international one (spec §7.4).

Key and certificate are `seal-sm2.key` (PEM, PKCS#8 or SEC 1, without passphrase: the file's mode protects it) and `seal-sm2.pem`
(its certificate, then those above it). The arithmetic is `evidence.connectors.sm2_signing`; nothing of the library's own knows SM2,
so that its tables of object identifiers are told of three.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asn1crypto import algos
from pyhanko.sign import attributes
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.pdf_cms import UnsignedAttributeProviderSpec
from pyhanko_certvalidator.registry import SimpleCertificateStore

from evidence.connectors import sm2_signing
from evidence.verification.keys import public_key
from evidence.verification.keys.x509 import Certificate

from .anchors import certificates

SM3 = "sm3"
STAMP_DIGEST = "sha256"
"""Of the time-stamp on the signature: the authority is the same as for the other signatures."""
SIGNATURE_BYTES = 72
"""SEQUENCE of two INTEGERs of 32 bytes, at most."""
_TABLES = {
    algos.DigestAlgorithmId: {"1.2.156.10197.1.401": SM3},
    algos.SignedDigestAlgorithmId: {"1.2.156.10197.1.501": "sm2_sm3"},
}


def opened(key: Path, chain: Path) -> "Sm2Signer":
    """OSError, ValueError when the files do not hold an SM2 key and the certificate that belongs to it."""
    pem = key.read_bytes()
    if not sm2_signing.is_sm2(pem):
        raise ValueError(f"{key.name} is not a private key on sm2p256v1 (PEM, without passphrase)")
    found = certificates(chain)
    if not found:
        raise ValueError(f"{chain.name} holds no certificate")
    signer = Sm2Signer(pem, found)
    tried = b"does this key belong to this certificate?"
    if not public_key.verify(Certificate(found[0].dump()).spki, public_key.Scheme("SM2", "SM3"), tried, sm2_signing.sign(pem, tried)):
        raise ValueError(f"{key.name} does not belong to the first certificate in {chain.name}")
    return signer


class Sm2Signer(Signer):  # type: ignore[misc]
    """The library's signer for a key that it knows nothing of. Signs the message, never a digest: SM2 puts the key into its own (Z_A)."""

    def __init__(self, pem: bytes, chain: list[Any]) -> None:
        _register()
        known = SimpleCertificateStore()
        known.register_multiple(chain)
        super().__init__(
            signing_cert=chain[0], cert_registry=known, signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sm2_sm3"})
        )
        self._pem = pem

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != SM3:
            raise ValueError(f"SM2 signs with SM3, not {digest_algorithm}")
        return bytes(SIGNATURE_BYTES) if dry_run else sm2_signing.sign(self._pem, data)

    def _unsigned_attr_provider_spec(self, timestamper: Any = None) -> Any:
        return _Stamped(timestamper)


class _Stamped(UnsignedAttributeProviderSpec):  # type: ignore[misc]
    """The library asks for a time-stamp under the signature's own digest, which here would be SM3."""

    def __init__(self, timestamper: Any) -> None:
        self._timestamper = timestamper

    def unsigned_attr_providers(self, signature: bytes, signed_attrs: Any, digest_algorithm: str) -> Iterable[Any]:
        if self._timestamper is not None:
            yield attributes.TSTProvider(digest_algorithm=STAMP_DIGEST, data_to_ts=signature, timestamper=self._timestamper)


def _register() -> None:
    for table, names in _TABLES.items():
        kind: Any = table
        for oid, name in names.items():
            kind._map[oid] = name
            if kind._reverse_map is not None:
                kind._reverse_map[name] = oid
