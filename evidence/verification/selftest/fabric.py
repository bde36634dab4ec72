"""Known answers of Hyperledger Fabric, from real chains: a genesis hash that the next block repeats, an orderer's signature.

Sources: `hyperledger/fabric` ledgersData (v2.0 `testchannel`, blocks 0 and 1), WeCross-Fabric1-Stub (Fabric 1.4, block 6);
SmartBFT `computeBFTQuorum` for the sizes of quorums.
"""

from collections.abc import Callable

GENESIS_DATA = "f3bbf877db09b521d81b99bab2bb599a00ad32e6c103481cd767491442fd40ca"
GENESIS_HASH = "39cede29a224a3db58ee6eadcabf9008756868daa11d282f8e83bc1a08189291"
"""Block 1 names it as the hash of the block before."""
FIRST_DATA = "c2b0e5970220efc7907bdb26bb447ccb1ed1d87c17bebdbadff3e7181916d68e"
FIRST_HASH = "c95ae2034f6cfe904052234dc2f4fbadca925da641b9b8ca154d8ed6463a4fc6"
"""Block 2 names it so."""

ORDERER = bytes.fromhex(
    "9e6da4bea8e7a832e83bde440c50ed8c0363bb5e0b6204c60202b20238a8ff7b"
    "04c8fcc6a8d336105a386298136f1c717113f976a8d9ce12ed8f868a31df5351"
)
SIGNED = bytes.fromhex("8bb7aae0884366ed03d46c996054211023ed1a20f07e7098a6bd153c59c5b55e")
"""SHA-256 of metadata value, signature header and block header."""
R = 0xADCEE4100748A7D43C1E43126565FF47CF9FBF04017F332D2139874E5B378EF4
S = 0x0600D002840C47D712ED2BE7E34E1B1CEBD24C8BF4C28E88FD968604CA99A9EC
ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551


def _hash(number: int, previous: str, data: str, expected: str, holds: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains.fabric_block import Block

        block = Block("", number, bytes.fromhex(previous), bytes.fromhex(data))
        return (block.hash.hex() == expected) is holds

    return case


def _signature(s: int, message: bytes, holds: bool) -> Callable[[], bool]:
    def case() -> bool:
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        from ..chains.fabric_identity import Identity, signed

        return signed(Identity("OrdererMSP", b"", "P-256", ORDERER), encode_dss_signature(R, s), message) is holds

    return case


def _quorums() -> bool:
    from ..chains.fabric_finality import byzantine_quorum

    return [byzantine_quorum(n) for n in (1, 2, 3, 4, 5, 6, 7, 10)] == [1, 2, 2, 3, 4, 4, 5, 7]


def _trailing_byte() -> bool:
    """An envelope of payload "p" and signature "s" is well formed, and with one byte behind it is not."""
    from ..chains.fabric_block import Block

    good, bad = (Block("", 1, bytes(32), bytes(32), (e,)) for e in (b"\x0a\x01p\x12\x01s", b"\x0a\x01p\x12\x01s\x00"))
    return good.ill_formed is None and bad.ill_formed is not None


FORMATS = ("fabric", "proof-package")

CASES: dict[str, Callable[[], bool]] = {
    "hash of a real genesis block": _hash(0, "", GENESIS_DATA, GENESIS_HASH, True),
    "hash of a real block": _hash(1, GENESIS_HASH, FIRST_DATA, FIRST_HASH, True),
    "another number": _hash(2, GENESIS_HASH, FIRST_DATA, FIRST_HASH, False),
    "real orderer's signature": _signature(S, SIGNED, True),
    "its other s": _signature(ORDER - S, SIGNED, False),
    "another message": _signature(S, SIGNED[::-1], False),
    "sizes of quorums": _quorums,
    "byte behind an envelope": _trailing_byte,
}
