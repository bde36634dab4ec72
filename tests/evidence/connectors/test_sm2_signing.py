"""Signatures of the court's member: verified by another implementation, and of a form that strict readers take."""

import base64
import secrets
from pathlib import Path

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from gmalg import SM2

from evidence.connectors import chainmaker
from evidence.connectors.sm2_signing import _multiple, is_sm2, sign
from evidence.verification.keys import sm2

UID = b"1234567812345678"


def armoured(kind: str, der: bytes) -> bytes:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n".encode()


def sequence(*parts: bytes, tag: int = 0x30) -> bytes:
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def written(secret: bytes, *, pkcs8: bool, oid: str = "1.2.156.10197.1.301") -> bytes:
    """A private key file, written field by field (RFC 5915, RFC 5208)."""
    curve = core.ObjectIdentifier(oid).dump()
    public = sequence(b"\0\x04" + bytes(SM2().generate_pk(secret))[-64:], tag=0x03)
    parameters = b"" if pkcs8 else sequence(curve, tag=0xA0)
    inner = sequence(b"\x02\x01\x01", sequence(secret, tag=0x04), parameters, sequence(public, tag=0xA1))
    if not pkcs8:
        return armoured("EC PRIVATE KEY", inner)
    algorithm = sequence(core.ObjectIdentifier("1.2.840.10045.2.1").dump(), curve)
    return armoured("PRIVATE KEY", sequence(b"\x02\x01\x00", algorithm, sequence(inner, tag=0x04)))


@pytest.mark.parametrize("pkcs8", [True, False])
@pytest.mark.parametrize("secret", [bytes(31) + b"\x01", bytes(31) + b"\x02", (sm2.N - 2).to_bytes(32), bytes(4) + bytes(range(1, 29))])
def test_another_implementation_takes_the_signature(secret: bytes, pkcs8: bool) -> None:
    key = written(secret, pkcs8=pkcs8)
    assert is_sm2(key)
    public = bytes(SM2().generate_pk(secret))[-64:]
    for message in (b"", b"payload", secrets.token_bytes(1000)):
        signature = sign(key, message)
        r, s = decode_dss_signature(signature)
        assert SM2(None, UID, b"\x04" + public).verify(message, r.to_bytes(32), s.to_bytes(32))
        assert sm2.verify(public, signature, message)
        assert not sm2.verify(public, signature, message + b".")
        assert sign(key, message) != signature, "a number used once is used once"


def test_multiples_of_the_base_point_agree_with_the_other_implementation() -> None:
    for scalar in (1, 2, 3, sm2.N - 1, sm2.N // 2, *(secrets.randbelow(sm2.N - 2) + 1 for _ in range(5))):
        if scalar < sm2.N - 1:
            x, y = _multiple(scalar)
            assert x.to_bytes(32) + y.to_bytes(32) == bytes(SM2().generate_pk(scalar.to_bytes(32)))[-64:]
    assert _multiple(sm2.N - 1) == (sm2.GX, sm2.P - sm2.GY)


def test_other_keys_and_what_is_no_key(tmp_path: Path) -> None:
    def pem(key: object) -> bytes:
        pkcs8 = serialization.PrivateFormat.PKCS8
        return key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())  # type: ignore[attr-defined, no-any-return]

    p256, k1 = pem(ec.generate_private_key(ec.SECP256R1())), pem(ec.generate_private_key(ec.SECP256K1()))
    rsa_key = pem(rsa.generate_private_key(65537, 2048))
    for data in (p256, k1, rsa_key, b"", b"junk", armoured("PRIVATE KEY", b"\x30\x03junk"), written(b"\x01" * 32, pkcs8=True, oid="1.2.3")):
        assert not is_sm2(data)
        with pytest.raises((ValueError, TypeError)):
            sign(data, b"x")
    for data in (k1, rsa_key, b"junk"):
        (tmp_path / "key").write_bytes(data)
        with pytest.raises((ValueError, TypeError)):
            chainmaker._sign(tmp_path / "key", b"x")
    (tmp_path / "key").write_bytes(p256)
    assert chainmaker._sign(tmp_path / "key", b"x")
    for outside in (bytes(32), (sm2.N - 1).to_bytes(32), b"\xff" * 32):
        with pytest.raises(ValueError, match="sm2p256v1"):
            sign(armoured("EC PRIVATE KEY", sequence(b"\x02\x01\x01", sequence(outside, tag=4), sequence(core.ObjectIdentifier("1.2.156.10197.1.301").dump(), tag=0xA0))), b"x")
