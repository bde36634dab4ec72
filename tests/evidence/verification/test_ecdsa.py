"""ECDSA over raw keys: agreement with signatures made by `cryptography`, and one reading of every signature."""

import hashlib
import random

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification.codecs import der
from evidence.verification.codecs.text import CodecError
from evidence.verification.keys import ecdsa

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "secp256k1": ec.SECP256K1()}


def signer(curve: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    key = ec.generate_private_key(CURVES[curve])
    return key, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


@pytest.mark.parametrize("curve", CURVES)
def test_orders_are_those_of_the_curves(curve: str) -> None:
    assert CURVES[curve].group_order == ecdsa.ORDER[curve]


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("name", "algorithm"), [("SHA-256", hashes.SHA256()), ("SHA-384", hashes.SHA384()), ("SHA-512", hashes.SHA512())]
)
def test_round_trip_and_bit_flips(curve: str, name: str, algorithm: hashes.HashAlgorithm) -> None:
    key, public = signer(curve)
    made = key.sign(b"evidence", ec.ECDSA(algorithm))
    r, s = decode_dss_signature(made)
    assert ecdsa.verify(public, made, b"evidence", curve=curve, algorithm=name)
    assert ecdsa.verify(public, (r, s), b"evidence", curve=curve, algorithm=name)
    digest = hashlib.new(name.replace("-", ""), b"evidence").digest()
    assert ecdsa.verify_digest(public, r, s, digest, curve=curve)
    # s and n - s are both signatures of the same statement; everything else is not.
    assert ecdsa.verify(public, (r, ecdsa.ORDER[curve] - s), b"evidence", curve=curve, algorithm=name)
    rng = random.Random(1)
    for bit in rng.sample(range(8 * len(made)), 60):
        changed = bytearray(made)
        changed[bit // 8] ^= 1 << bit % 8
        assert not ecdsa.verify(public, bytes(changed), b"evidence", curve=curve, algorithm=name)
    assert not ecdsa.verify(public, made, b"evidencf", curve=curve, algorithm=name)


def test_any_digest_of_32_bytes_will_do() -> None:
    """Chains sign Keccak-256 digests; ECDSA does not see which algorithm made them."""
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    key, public = signer("secp256k1")
    digest = hashlib.sha3_256(b"evidence").digest()
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    assert ecdsa.verify_digest(public, r, s, digest, curve="secp256k1")
    assert not ecdsa.verify_digest(public, r, s, digest[:-1], curve="secp256k1")


def test_values_out_of_range_and_keys_off_the_curve() -> None:
    key, public = signer("P-256")
    r, s = decode_dss_signature(key.sign(b"m", ec.ECDSA(hashes.SHA256())))
    order = ecdsa.ORDER["P-256"]
    for wrong in ((0, s), (r, 0), (order, s), (r, order), (r + order, s), (r, s + order), (-r, s)):
        assert not ecdsa.verify(public, wrong, b"m", curve="P-256")
    for bad in (b"", bytes(64), public[:-1], b"\x04" + public, public[:32] + bytes(32)):
        assert not ecdsa.verify(bad, (r, s), b"m", curve="P-256")
    assert not ecdsa.verify(public, (r, s), b"m", curve="secp256k1")


ORDER = ecdsa.ORDER["P-256"]


@pytest.mark.parametrize(
    ("data", "value"),
    [("3006020101020101", (1, 1)), ("300702020080020101", (128, 1)), ("30060201 7f020102", (127, 2))],
)
def test_der_that_is_der(data: str, value: tuple[int, int]) -> None:
    assert der.signature(bytes.fromhex(data), order=ORDER) == value


@pytest.mark.parametrize(
    "data",
    [
        "",
        "30",
        "3000",
        "3080020101020101 0000",  # indefinite
        "308106020101020101",  # long form for a short length
        "30820006020101020101",
        "3006020101020101 00",  # trailing byte
        "3009020101020101 020101",  # third integer
        "3003020101",  # one integer
        "30070202 0001020101",  # padded
        "3006020181020101",  # negative
        "3005020002 0101",  # empty integer
        "3006020100020101",  # zero
        "3006030101020101",  # not an integer
        "3106020101020101",  # a set
        "30050201010201",  # cut off
        "3006020101020201",
        "30850000000006020101020101",
    ],
)
def test_der_that_is_not(data: str) -> None:
    with pytest.raises(CodecError):
        der.signature(bytes.fromhex(data), order=ORDER)


def test_order_itself_is_out_of_range() -> None:
    body = b"\x02\x21\x00" + ORDER.to_bytes(32, "big") + b"\x02\x01\x01"
    with pytest.raises(CodecError):
        der.signature(b"\x30" + bytes([len(body)]) + body, order=ORDER)


@pytest.mark.parametrize(
    ("content", "dotted"),
    [("2a8648ce3d0201", "1.2.840.10045.2.1"), ("550413", "2.5.4.19"), ("883703", "2.999.3"), ("2a", "1.2"), ("00", "0.0")],
)
def test_object_identifiers(content: str, dotted: str) -> None:
    assert der.object_identifier(bytes.fromhex(content)) == dotted


@pytest.mark.parametrize("content", ["", "2a80", "2a8001", "80", "2a" + "ff" * 70 + "01"])
def test_object_identifiers_that_are_not(content: str) -> None:
    with pytest.raises(CodecError):
        der.object_identifier(bytes.fromhex(content))
