"""Known answers that the engine checks on itself: published examples, never values computed by this code.

Run before a report is issued and on demand; the count is printed in every report. Sources: FIPS 180-4 and GB/T 32905 (digest
examples), Ethereum yellow paper (Keccak of the empty string), GM/T 0003.5-2012 (SM2), RFC 6979 A.2.5 (ECDSA P-256),
RFC 8259 (what strict JSON refuses).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`failed` names the cases that gave another answer; a report is not issued unless it is empty."""

    vectors: int
    failed: tuple[str, ...]

    @property
    def passed(self) -> int:
        return self.vectors - len(self.failed)


def run() -> SelfTest:
    failed = []
    for name, case in CASES.items():
        try:
            if not case():
                failed.append(name)
        except Exception as fault:  # a case that cannot run has failed
            failed.append(f"{name} ({type(fault).__name__})")
    return SelfTest(len(CASES), tuple(failed))


def _digest(algorithm: str, message: bytes, expected: str) -> Callable[[], bool]:
    def case() -> bool:
        from .. import digests

        return digests.digest(algorithm, message).hex() == expected

    return case


SM2_KEY = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
SM2_S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA


def _sm2(message: bytes, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..keys import sm2

        return sm2.verify(SM2_KEY, (SM2_R, SM2_S), message) is expected

    return case


P256_KEY = bytes.fromhex(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
P256_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
P256_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def _p256(message: bytes, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..keys import ecdsa

        digest = hashlib.sha256(message).digest()
        return ecdsa.verify_digest(P256_KEY, P256_R, P256_S, digest, curve="P-256") is expected

    return case


def _refused(data: bytes) -> Callable[[], bool]:
    def case() -> bool:
        from ..codecs import strict_json

        try:
            strict_json.loads(data)
        except strict_json.JsonError:
            return True
        return False

    return case


CASES: dict[str, Callable[[], bool]] = {
    "SHA-256 of abc": _digest(
        "SHA-256", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    ),
    "SHA3-256 of abc": _digest(
        "SHA3-256", b"abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
    ),
    "SM3 of abc": _digest("SM3", b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    "Keccak-256 of nothing": _digest(
        "KECCAK-256", b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    ),
    "SM2 published signature": _sm2(b"message digest", True),
    "SM2 other message": _sm2(b"message digesu", False),
    "ECDSA P-256 published signature": _p256(b"sample", True),
    "ECDSA P-256 other message": _p256(b"sampld", False),
    "JSON with a name twice": _refused(b'{"a":1,"a":1}'),
    "JSON with NaN": _refused(b"[NaN]"),
    "JSON too deep": _refused(b"[" * 100 + b"]" * 100),
}
