"""Known answers of FISCO BCOS 2: figures of real blocks, and the published examples of RLP.

Sources: block 1 and its transaction of an ECDSA chain, block 1 of a guomi chain (FISCO-BCOS/java-sdk release-2.10.0, ResponseTest.java);
block 35, five transactions (WeBankBlockchain/WeCross-BCOS2-Stub, ProofVerifierUtilityTest.java); ethereum.org on RLP.
"""

from collections.abc import Callable
from typing import Any

FORMATS = ("fisco2", "proof-package")

ECDSA_BLOCK: dict[str, Any] = {
    "dbHash": "0x0000000000000000000000000000000000000000000000000000000000000000",
    "extraData": [],
    "gasLimit": "0x0",
    "gasUsed": "0x0",
    "hash": "0xed79502afaf87734f5bc75c2b50d340adc83128afed9dc626a4f5a3cfed837a7",
    "logsBloom": "0x" + "00" * 256,
    "number": 1,
    "parentHash": "0x4f6394763c33c1709e5a72b202ad4d7a3b8152de3dc698cef6f675ecdaf20a3b",
    "receiptsRoot": "0x69a04fa6073e4fc0947bac7ee6990e788d1e2c5ec0fe6c2436d0892e7f3c09d2",
    "sealer": "0x3",
    "sealerList": [
        "11e1be251ca08bb44f36fdeedfaeca40894ff80dfd80084607a75509edeaf2a9"
        "c6fee914f1e9efda571611cf4575a1577957edfd2baa9386bd63eb034868625f",
        "78a313b426c3de3267d72b53c044fa9fe70c2a27a00af7fea4a549a7d65210ed"
        "90512fc92b6194c14766366d434235c794289d66deff0796f15228e0e14a9191",
        "95b7ff064f91de76598f90bc059bec1834f0d9eeb0d05e1086d49af1f9c2f321"
        "062d011ee8b0df7644bd54c4f9ca3d8515a3129bbb9d0df8287c9fa69552887e",
        "b8acb51b9fe84f88d670646be36f31c52e67544ce56faf3dc8ea4cf1b0ebff08"
        "64c6b218fdcd9cf9891ebd414a995847911bd26a770f429300085f37e1131f36",
    ],
    "stateRoot": "0x0000000000000000000000000000000000000000000000000000000000000000",
    "timestamp": "0x174cf2bdede",
    "transactionsRoot": "0xab7114f4e2930d02852e1578c0a845328e8b69fa8413000d8570483d272937a8",
}
ECDSA_INDEX, ECDSA_SIGNATURE = 0, (
    "8c274e08c1b86b363634266a9c474a261313ec19ad28bd029465143e9708ef4e74844b6d3e4b1192e290548efe276393"
    "98917dfc42195fc81509aa995179895501"
)
TRANSACTION: dict[str, Any] = {
    "blockHash": "0xed79502afaf87734f5bc75c2b50d340adc83128afed9dc626a4f5a3cfed837a7",
    "blockLimit": "0x100",
    "blockNumber": "0x1",
    "chainId": "0x1",
    "extraData": "0x",
    "from": "0xfb257558db8f24ee1c2799df7cc68051fc8d27f7",
    "gas": "0x2faf080",
    "gasPrice": "0xa",
    "groupId": "0x1",
    "hash": "0xd8a34a32b86e049fb5e1c0ce89a2a96c34f0c54e622e10abf20d0a0f15bb98cf",
    "input": (
        "0x4ed3885e0000000000000000000000000000000000000000000000000000000000000020000000000000000000000000"
        "000000000000000000000000000000000000000a464953434f2042434f53000000000000000000000000000000000000"
        "00000000"
    ),
    "nonce": "0x3eb675ec791c2d19858c91d0046821c27d815e2e9c151601203592000016309",
    "signature": {
        "r": "0x9edf7c0cb63645442aff11323916d51ec5440de979950747c0189f338afdcefd",
        "s": "0x2f3473184513c6a3516e066ea98b7cfb55a79481c9db98e658dd016c37f03dcf",
        "v": "0x0",
    },
    "to": "0x8c17cf316c1063ab6c89df875e96c9f0f5b2f744",
    "transactionIndex": "0x0",
    "value": "0x0",
}
GUOMI_BLOCK: dict[str, Any] = {
    "dbHash": "0x68a77b2364be2f3197bce9ca265a5405ed77904237d8e31dbacfe9e1d3119f77",
    "extraData": [],
    "gasLimit": "0x0",
    "gasUsed": "0x0",
    "hash": "0xc5360efd06024b02340eb2afa283fe022f57791e888f22366b77d6218a247a13",
    "logsBloom": "0x" + "00" * 256,
    "number": 1,
    "parentHash": "0x7e1b0fc3efa8026f282bfa994d3a79305542d5ad3ea65b84a8d72b152f15dfb1",
    "receiptsRoot": "0xd748b478e6b8f90e049f7a4a9d2b9acf76624baed8c2abe0e868b33cd5e989e5",
    "sealer": "0x3",
    "sealerList": [
        "1daca8140ba483b560d1b3b8905ca07f447b305875a4f9c6cb2a826c9315ef10"
        "bc87a7e135d0a34f605f3a95ff5d9a8c83f2ac5f070c6fe740400910813110a2",
        "2e6ddeb52fcdb0f0287c8b6bbe407f4a3a52bc1b04ea5b978ab698ac1802eb5d"
        "b482ec1681b1d1d8d1a5e99143a7cde2b85fe29bbe6538066507a91fc8e5ecc6",
        "4905b78b643c19c03e7b8e6779fca2a3e917baa317e8d2abde6daec543d375ac"
        "5052aeda22fda7e174c780e04afd215f965237a809e814369a05bb90b965a6ed",
        "86f731c15ca2f44925fea7f379ca32a55245fb988228305c7625d4a174a186fc"
        "4472d4668053c7fe4c8608562cf2fb8fea1ab5ea4c96b9be01949b565ec36c9e",
    ],
    "stateRoot": "0x68a77b2364be2f3197bce9ca265a5405ed77904237d8e31dbacfe9e1d3119f77",
    "timestamp": "0x174ce4a8931",
    "transactionsRoot": "0x60368d2fde59f678e096418d521b53fce8355fb8bca1448d4bb6f5209376e7fc",
}
GUOMI_INDEX, GUOMI_SIGNATURE = 0, (
    "a99fcb5298a5dd39644af81b2c3ebd9839ffa9f2cb65c6c8b9f2b84b8804c93cf836cb45059cdefe8767ea922e014131"
    "8da7ffcc6d0d9db2b0cfa23638bc86591daca8140ba483b560d1b3b8905ca07f447b305875a4f9c6cb2a826c9315ef10"
    "bc87a7e135d0a34f605f3a95ff5d9a8c83f2ac5f070c6fe740400910813110a2"
)

FIVE_ROOT = "215ba810f73d5efd87e0e77936cdca4bf8bb37fbd5b4c00cefa73d3d762d4a41"
FIVE_RECEIPTS_ROOT = "57da96f64cd53b6223fa82a2e499075b20bf45947824cea35ac8345b1d8069d8"
THIRD_LEAF = "633a3386a189455354c058af6606d705697f3b216ad555958dc680f68cc4e99d"
FIVE_PATH = {
    "left": ["80f76341248f90e743618a8152fb10f851af4ddf8ac297137d6668214f58334dc7", "014389024348c8f4adf2b0ce54e76f057ca786fbc0198a4ba10b4a19d674171152"],
    "right": ["03483197261994b1267b2f2ff2ab48fcd8981b0ef7a9ccb9def497ae11ac29d1c0", "04ab700e2e0a079e19fa4442e7d4e18a59fddeb2efaa225d4df5b12a80d59c4ae3"],
}
THIRD_RECEIPT: dict[str, Any] = {
    "contractAddress": "0x0000000000000000000000000000000000000000",
    "gasUsed": "0x10a88",
    "logs": [],
    "logsBloom": "0x" + "00" * 256,
    "output": "0x0000000000000000000000000000000000000000000000000000000000000000",
    "root": "0x9abce0e65719f06ee104abf1539e42beef25c164f889420eab9c055cc95de03c",
    "status": "0x0",
    "transactionIndex": "0x2",
}
FIVE_RECEIPT_PATH = {
    "left": ["803fb462c75987b2001a83dbed279aeecec047b1f9bc9c56e195a74932fbaae0b1", "01e9fe05b4c30ed7eb927e24b788016114c1c31bf3771181c4d83bb3416c04ba09"],
    "right": ["03495a1e82c707f19aa55f2135b1dfddf992f39f6a614a910e001b9c00685e66d5", "04cf051dd6960c184742948ee3f10883c3bf11f51da6ed6c67eacd37972338ebde"],
}


def _header(block: dict[str, Any], algorithm: str, expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains import fisco2_hashing, fisco2_records

        read = fisco2_records.header({**block, **changes})
        return (fisco2_hashing.header_hash(read, algorithm=algorithm) == read.hash) is expected

    return case


def _seal(block: dict[str, Any], index: int, signature: str, guomi: bool, expected: bool, sealer: int | None = None) -> Callable[[], bool]:
    """The signature over the block's hash is by the sealer at `index` (or, not so, by another one)."""

    def case() -> bool:
        from ..chains import sealers

        suite = sealers.GUOMI if guomi else sealers.ECDSA
        key = sealers.signer(bytes.fromhex(signature), bytes.fromhex(block["hash"][2:]), suite=suite)
        return (key == bytes.fromhex(block["sealerList"][index if sealer is None else sealer])) is expected

    return case


def _transaction(expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from .. import digests
        from ..chains import fisco2_hashing, fisco2_records
        from ..keys import secp256k1

        read = fisco2_records.transaction({**TRANSACTION, **changes})
        matched = fisco2_hashing.transaction_hash(read, algorithm="KECCAK-256")
        if matched is None or read.signature is None or not isinstance(read.signature.v, int):
            return not expected
        key = secp256k1.recover(matched.signed, read.signature.r, read.signature.s, read.signature.v)
        return (key is not None and digests.digest("KECCAK-256", key)[-20:] == read.sender) is expected

    return case


def _single_root() -> bool:
    from ..chains import fisco2_tree

    leaf = bytes.fromhex(TRANSACTION["hash"][2:])
    return fisco2_tree.root_of((leaf,), algorithm="KECCAK-256") == bytes.fromhex(ECDSA_BLOCK["transactionsRoot"][2:])


def _path(index: int, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains import fisco2_tree
        from ..merkle import PathError

        side = {name: tuple(bytes.fromhex(item) for item in items) for name, items in FIVE_PATH.items()}
        units = ((side["left"], side["right"]), ((), ()))
        try:
            walked = fisco2_tree.walk(bytes.fromhex(THIRD_LEAF), units, index=index, algorithm="KECCAK-256")
        except PathError:
            return not expected
        return (walked.root.hex() == FIVE_ROOT) is expected

    return case


def _receipt(expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains import fisco2_hashing, fisco2_records, fisco2_tree

        read = fisco2_records.receipt({"transactionReceipt": {**THIRD_RECEIPT, **changes}, "receiptProof": [FIVE_RECEIPT_PATH, _TOP]})
        roots = {
            fisco2_tree.walk(digest, read.path or (), index=2, algorithm="KECCAK-256").root.hex()
            for _, digest in fisco2_hashing.receipt_hashes(read, algorithm="KECCAK-256")
        }
        return (FIVE_RECEIPTS_ROOT in roots) is expected

    return case


_TOP: dict[str, list[str]] = {"left": [], "right": []}


def _rlp(encoded: str, expected: object) -> Callable[[], bool]:
    """`expected` None: no such encoding exists."""

    def case() -> bool:
        from ..codecs import rlp
        from ..codecs.text import CodecError

        try:
            return rlp.decode(bytes.fromhex(encoded)) == expected
        except CodecError:
            return expected is None

    return case


CASES: dict[str, Callable[[], bool]] = {
    "RLP of cat and dog": _rlp("c88363617483646f67", [b"cat", b"dog"]),
    "RLP of a byte with a prefix of its own": _rlp("8105", None),
    "RLP with a length that is not the shortest": _rlp("b80100", None),
    "RLP with a byte behind it": _rlp("83646f6767", None),
    "header of an ECDSA block": _header(ECDSA_BLOCK, "KECCAK-256", True),
    "header with another sealer": _header(ECDSA_BLOCK, "KECCAK-256", False, sealer="0x9"),
    "header of a guomi block": _header(GUOMI_BLOCK, "SM3", True),
    "header of a guomi block under the other hash": _header(GUOMI_BLOCK, "KECCAK-256", False),
    "sealer's ECDSA signature": _seal(ECDSA_BLOCK, ECDSA_INDEX, ECDSA_SIGNATURE, False, True),
    "sealer's ECDSA signature claimed by another": _seal(ECDSA_BLOCK, ECDSA_INDEX, ECDSA_SIGNATURE, False, False, sealer=2),
    "sealer's SM2 signature": _seal(GUOMI_BLOCK, GUOMI_INDEX, GUOMI_SIGNATURE, True, True),
    "sealer's SM2 signature over another block": _seal(
        {**GUOMI_BLOCK, "hash": ECDSA_BLOCK["hash"]}, GUOMI_INDEX, GUOMI_SIGNATURE, True, False
    ),
    "transaction and its sender": _transaction(True),
    "transaction with another limit": _transaction(False, blockLimit="0x101"),
    "root of a block of one": _single_root,
    "path in a block of five": _path(2, True),
    "path at another index": _path(1, False),
    "receipt in a block of five": _receipt(True),
    "receipt with another status": _receipt(False, status="0x1"),
}
