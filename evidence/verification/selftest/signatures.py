"""Known answers of the signature algorithms.

Sources: GM/T 0003.5-2012 (SM2), RFC 6979 A.2.5 (ECDSA P-256).
"""

import hashlib
from collections.abc import Callable

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


FORMATS: tuple[str, ...] | None = (
    "wacz", "platform-certificate", "chainmaker", "fisco2", "fisco3", "fabric", "xuperchain", "proof-package", "rfc3161",
    "signed-pdf", "pdf-certificate",
)  # fmt: skip
"""Formats with signatures."""

CASES: dict[str, Callable[[], bool]] = {
    "SM2 published signature": _sm2(b"message digest", True),
    "SM2 other message": _sm2(b"message digesu", False),
    "ECDSA P-256 published signature": _p256(b"sample", True),
    "ECDSA P-256 other message": _p256(b"sampld", False),
}
