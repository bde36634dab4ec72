"""Known answers of FISCO BCOS 3: figures of real blocks of version 3.2.0.

Source: block 72, one transaction, and the path of a transaction in block 60 (WeBankBlockchain/WeCross-BCOS3-Stub,
ProofVerifierUtilityTest.java); the example of EIP-155.
"""

from collections.abc import Callable
from typing import Any

FORMATS = ("fisco3", "proof-package")

BLOCK: dict[str, Any] = {
    "consensusWeights": [1, 1, 1, 1],
    "extraData": "0x",
    "gasUsed": "13088",
    "hash": "0xb51bf83bca8062a2a5b62148060b3c2445bdeca424c91aa3e56a3a79b6cc8383",
    "number": 72,
    "parentInfo": [{"blockHash": "0x3c1c9d24d730ef2180525c6606bc2e934e618df9f02ab3c85abdc0db55da33cb", "blockNumber": 71}],
    "receiptsRoot": "0x759d4feef082f5e0088baae80f82104aac10639999692c934a78980759d58e47",
    "sealer": 3,
    "sealerList": [
        "0x076fda2a4be28a80eb69a8c857d898f75be8ef4f52b18da1bb0adeeb51a71ee5"
        "2b46e358a25cb28ae3561521973a710f9b5fca0234fa2a7829fbb2e3b29203ae",
        "0x09a6435dc5e10c98b1a064c43c5286ec93f5f7b5e9e888f610da447b80e9792e"
        "1a1f62421ef7b46bfccdff7a7832be3c6a4843cb1dd551ce09b1f237f3968bcb",
        "0x104b992b4d5e13ccd9b84f6639eb02770bb190cd2703d212c034381520c37f39"
        "0f3feeb257a9567c98999c57ad9e0fb57518f27d5f4577baed56488a8f7d67ba",
        "0xc8c5a966973483b00d29e597ffd661d96f85cc5893aa4347ca9ae7f59106880b"
        "4249e34ccd89e3cd46d1ad11e3f7d27bc04ed8737e85f225c1ec314470177c3e",
    ],
    "stateRoot": "0x6c758f9387a7d692812f221d83f817b4bb953913cd68b29be6c756f991deab87",
    "timestamp": 1671086632842,
    "txsRoot": "0xa7c9868b5780c4ab9ee8e7713b132e5b8b1b3de65060dc2aaa18aba1fb8da6c1",
    "version": 50462720,
}
INDEX, SIGNATURE = 0, (
    "3233a2da4367ccbbc2f4b1f032f04254976fdc73416bfc8ab7490541884b961d62d9a5c8b63a259416b979b15dc34fe7"
    "26e16c6eb60572461f31b08c8d9410de01"
)
TRANSACTION: dict[str, Any] = {
    "abi": "",
    "blockLimit": 571,
    "chainID": "chain0",
    "from": "0xc3905204c48f8bdffe5e57c465d178d4648416a4",
    "groupID": "group0",
    "hash": "0xa7c9868b5780c4ab9ee8e7713b132e5b8b1b3de65060dc2aaa18aba1fb8da6c1",
    "input": (
        "0x4ed3885e0000000000000000000000000000000000000000000000000000000000000020000000000000000000000000"
        "000000000000000000000000000000000000000361616100000000000000000000000000000000000000000000000000"
        "00000000"
    ),
    "nonce": "21057836295043339615578907092452971954661623224251924593750627344535423728157",
    "signature": (
        "0x8c0ba4ee926b6ab239bd6d37420c48fe11b1a44189ae745be7e7d60fb78b89bf0f0a608209c492d5035cbd928d71c5b3"
        "7d33faad61d7c14e3247447d364820a001"
    ),
    "to": "0xbf5dabac8a87e5d1f8da357e119c0f19f8c40b91",
    "version": 0,
}
RECEIPT: dict[str, Any] = {
    "blockNumber": 72,
    "contractAddress": "",
    "gasUsed": "13088",
    "hash": "0x759d4feef082f5e0088baae80f82104aac10639999692c934a78980759d58e47",
    "logEntries": [],
    "output": "0x",
    "status": 0,
    "version": 0,
}

ROOT_60 = "8d1989a6bb1a1b06bbfc374a0313f730a1d9d15cfa100f2848129db43668159a"
LEAF_60 = "f98d0f89b6e9168ae06774fe8c47ec1f52089981f3be1defe42224390a9f5575"
GROUPS_60 = (
    (
        "4de1454f8cf61dc10dbf46cbe98a24585aa08d620e08edd1f64d83ef52b52e3b",
        "f98d0f89b6e9168ae06774fe8c47ec1f52089981f3be1defe42224390a9f5575",
    ),
    (
        "c2fa8f92cd1ad5047e9e2f177ed301e8c369270fea1be40a686ddc78f1f62114",
        "a320b77309176a0ac283faf2b6fbf4bbc351b0c8d43ba08cff5d4709bc63883d",
    ),
    (
        "68c19a01b502e7c920c71d98657421f488809b40adf60a9bb55cb3e01b615b98",
        "10a9c430464d77f45c2356d15688663b73b1301cc2af68af7a99216d1558be7d",
    ),
    (
        "f3b87a0bb438eb54af429944c9e63f61ed95e269916a0501bb6c760e0f19f2f9",
        "8ea8a7a454a3d3918e446cd4ede65193ff5539f031cb976d438c37b33276ce37",
    ),
    (
        "710732a888d3c72a1423e241c1cb1f43b7e993e478983bc5761af21945c02407",
        "23da037299ca5baba2e095534558017fe6e1154f812f83ae2bd2584b5a1cb1fb",
    ),
    (
        "f1a6b9aefe20d3b5bbadf77c0e5073c0aca30689a799b595c651eb3a22b0c684",
        "6b275e623abd8499a8ba8a98bf774ac66b52bea00d0a1925a6647d1c1e598081",
    ),
    (
        "693b2c27e57099b9551cd06700c4aa62b0da6f333f716df6151e04668d8f209c",
        "b76067e9f0d592239fec678a1a84502cb29f38c1c85a64dc16535a29ee90c710",
    ),
    (
        "c130e08435412b02b6468346e2b501a4d8d5fc762522bd1675aa106f0ef88673",
        "54a7731a61f48b6e24a21fb4499b1a667a866b0e4170b7805d76fd456a7b1fe6",
    ),
    ("b30627b6162135e5c247aba6e418d654a99b600522bad461967c0499b617c9b5",),
    (
        "f782d49308f08310d7a9e70ee188600aa8ad2ef5716e228e701df9735a8de08b",
        "3b8d5d336f0e322ee54f1a2972a034a5b4a205d787cc8e53657e403c16f34959",
    ),
)


def _header(expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains import fisco3_hashing, fisco3_records

        read = fisco3_records.header({**BLOCK, **changes})
        return (fisco3_hashing.header_hash(read, algorithm="KECCAK-256") == read.hash) is expected

    return case


def _seal(sealer: int, expected: bool) -> Callable[[], bool]:
    """The signature over the block's hash is by the sealer at that place."""

    def case() -> bool:
        from ..chains import sealers

        key = sealers.signer(bytes.fromhex(SIGNATURE), bytes.fromhex(BLOCK["hash"][2:]), suite=sealers.ECDSA)
        return (key == bytes.fromhex(BLOCK["sealerList"][sealer][2:])) is expected

    return case


def _transaction(expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from .. import digests
        from ..chains import fisco3_hashing, fisco3_records, sealers

        read = fisco3_records.transaction({**TRANSACTION, **changes})
        matched = fisco3_hashing.transaction_hash(read, algorithm="KECCAK-256")
        if matched is None or matched.ambiguous:
            return not expected
        key = sealers.signer(read.signature or b"", matched.hash, suite=sealers.ECDSA)
        same = key is not None and digests.digest("KECCAK-256", key)[-20:] == read.sender
        # The block holds this transaction alone, so its hash is the root.
        return (same and matched.hash.hex() == BLOCK["txsRoot"][2:]) is expected

    return case


def _receipt(expected: bool, **changes: Any) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains import fisco3_hashing, fisco3_records

        read = fisco3_records.receipt({**RECEIPT, **changes})
        matched = fisco3_hashing.receipt_hash(read, algorithm="KECCAK-256")
        return (matched is not None and matched.hash.hex() == BLOCK["receiptsRoot"][2:]) is expected

    return case


def _path(leaf: str, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from .. import merkle

        items = [item for group in GROUPS_60 for item in (len(group).to_bytes(4) + bytes(28), *map(bytes.fromhex, group))]
        try:
            root = merkle.grouped_path(bytes.fromhex(leaf), items, algorithm="KECCAK-256").root
        except merkle.PathError:
            return not expected
        return (root.hex() == ROOT_60) is expected

    return case


def _ethereum(raw: str, expected: bool) -> Callable[[], bool]:
    """EIP-155, example: the sender of a signed transaction."""

    def case() -> bool:
        from ..chains import ethereum_transaction
        from ..codecs.text import CodecError

        try:
            sender = ethereum_transaction.read(bytes.fromhex(raw)).sender
        except CodecError:
            return not expected
        return (sender == bytes.fromhex("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")) is expected

    return case


EIP_155 = (
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1"
    "a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
)

CASES: dict[str, Callable[[], bool]] = {
    "Ethereum transaction and its sender": _ethereum(EIP_155, True),
    "Ethereum transaction with another nonce": _ethereum(EIP_155.replace("f86c09", "f86c08"), False),
    "Ethereum transaction with a byte behind it": _ethereum(EIP_155 + "00", False),
    "header of a block": _header(True),
    "header with another time": _header(False, timestamp=1671086632843),
    "header with another weight": _header(False, consensusWeights=[2, 1, 1, 1]),
    "sealer's signature": _seal(INDEX, True),
    "sealer's signature claimed by another": _seal(2, False),
    "transaction, its sender and its root": _transaction(True),
    "transaction with another nonce": _transaction(False, nonce="1"),
    "receipt": _receipt(True),
    "receipt with another status": _receipt(False, status=16),
    "path of ten levels": _path(LEAF_60, True),
    "path from another leaf": _path(ROOT_60, False),
}
