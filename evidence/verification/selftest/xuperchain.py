"""Known answers for XuperChain: figures of public chain data.

Block 14056 of a test network and its first transaction, of which the relay contract of XuperChain 3.10 proves one to the other
(ids, signatures, path as the network made them); the transaction whose ids of versions 2 and 3 xupercore's own test of `txhash`
states; and the SM2 example of GM/T 0003.5-2012 with its published e, which is what a guomi chain signs in place of a message.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

_X = 22906815976227871521975920646394124690640348668649121566560042772744241642538
_Y = 108155450333976935776175836418819691128727398689901106691260413632387093305373
KEY = f'{{"Curvname":"P-256","X":{_X},"Y":{_Y}}}'
ADDRESS = "QMB1XGYH2vK3gT1BWuaJdKTmcVZ9YBvV8"
BLOCK_ID = "728e79f4acff406ac2c5684901a749e52f16f0b3fee283692404921a3074c3d6"
ROOT = "d6899c4e1b8320ee69a029e8a088e25faa978a2523ed7ac46782a7111a1e4764"
TX_ID = "ee13ec2510e8e2b0a04ad9a8f8892fe31cb50887a335531ce1a13159853ebe4b"
SIBLINGS = (
    "53c1db09ed7f0ca79a8c1a519d196f9ef610f541c295ee4a60a48b7a5a6368b0",
    "5cfe462083c7f7b4ae3f824cb4d41b6954f9379a69215dd10e35716691adb7da",
    "9d780dedfd9bc16d804bfd8a0f1b847bf7a6d6579e2aa1d923ecd0c56e2d98be",
)
BLOCK_SIGN = (
    "30450221008dde961ef3ad28ba844b1f1c83ed3c6f7e0c02729ad3e1f08b2548d58d3f11a9"
    "02206602420ff5639588c88a40446022e9f1c4f6d5051cb33698c7bbc31ec097701c"
)
INITIATOR_SIGN = (
    "3045022042037faff106c939edeb1d6ce13995c12053d2e546c2421c0d93b74f8fcc0d71"
    "022100869bd54d50b3b6156f8b826a522c3475386e416dfb1cee96a92e4292a208dc28"
)
REQUIRED_SIGN = (
    "3045022039d90659c07357d5378b319ae88073345f63955c028c5f5d3fe4828466e715fb"
    "022100ed3caf74eedd5773ea46883336b64063ba5a5b7a74b55cd9a5bd84a0ee4491a2"
)
CALL_SIGN = (
    "3046022100eb81f2cd08f391505b629bc64d27a431a4b6617631c37fda2daff4898a38ada3"
    "022100907fd4e89bea5301a334852bc854ac0e19db3c332ed9c709274e06708c1d9d31"
)
CALL_IDS = {
    2: "852da114b2c7f8f2cd71df01f89f12e6a04a9282aeab1990d3f70b0cedea6a02",
    3: "30190490f724ed4b9ef68afc7d691c5c62a7c1e8acce04bf655d2adc75167b05",
}
SM2_E = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"

_h = bytes.fromhex


def _block_id(tx_count: int) -> bytes:
    from ..chains import xuperchain_hashing
    from ..chains import xuperchain_messages as m
    from ..codecs.protobuf import encode

    fields = {
        "version": 1,
        "pre_hash": _h("69274f92781f99148060d02e136a5edae3368e681aea1401fbf78d0c31e3c7b8"),
        "proposer": ADDRESS.encode(),
        "pubkey": KEY.encode(),
        "merkle_root": _h(ROOT),
        "timestamp": 1584499929204409435,
        "tx_count": tx_count,
    }
    return xuperchain_hashing.block_id(m.block(encode(m.BLOCK, fields), source=""))


def _signature(sign: str) -> bytes:
    from ..chains import xuperchain_messages as m
    from ..codecs.protobuf import encode

    return encode(m.SIGNATURE, {"PublicKey": KEY, "Sign": _h(sign)})


def _hashed(fields: dict[str, Any]) -> tuple[bytes, bytes]:
    from ..chains import xuperchain_hashing
    from ..chains import xuperchain_messages as m
    from ..codecs.protobuf import encode

    found = xuperchain_hashing.transaction_hash(m.transaction(encode(m.TRANSACTION, fields), source=""))
    return (found.id, found.digest) if found else (b"", b"")


@cache
def _transfer() -> tuple[bytes, bytes]:
    from ..chains import xuperchain_messages as m
    from ..codecs.protobuf import encode

    own = ADDRESS.encode()
    given = {
        "ref_txid": _h("fc06bfd7869464e04acd399b00b38038b090264b4d8120ef15e9be490111f43c"),
        "from_addr": own,
        "amount": _h("63acbf9900"),
    }
    return _hashed(
        {
            "tx_inputs": [encode(m.TX_INPUT, given)],
            "tx_outputs": [encode(m.TX_OUTPUT, {"amount": a, "to_addr": own}) for a in (b"d", _h("63acbf989c"))],
            "desc": b"transfer from console",
            "nonce": "158449992798498081",
            "timestamp": 1584499927945161071,
            "version": 1,
            "initiator": ADDRESS,
            "auth_require": [ADDRESS],
            "initiator_signs": [_signature(INITIATOR_SIGN)],
            "auth_require_signs": [_signature(REQUIRED_SIGN)],
        }
    )


def _call(version: int) -> bytes:
    from ..chains import xuperchain_messages as m
    from ..codecs.protobuf import encode

    own = ADDRESS.encode()
    inputs = (
        ("8bffde9c70d36f38aacbc6344967e1389b020ee393ec706f798a898303311af1", own, _h("63acbf9900")),
    )
    reads = (
        ("contract", b"counter.go.desc", "04ac1b4f77a1af69ca032d5a834c84e826ac6c78018413a15436828041298598", 3),
        ("counter.go", b"icexin", "b367284fbfdfe8251d09305f70b27c470a2ebd5b0d12695cb2c0bb65cfca492f", 1),
    )
    request = {
        "module_name": "native",
        "contract_name": "counter.go",
        "method_name": "increase",
        "args": {"key": b"icexin"},
        "resource_limits": [
            encode(m.RESOURCE_LIMIT, {"type": kind, "limit": limit}) for kind, limit in ((0, 0), (1, 0), (2, 8), (3, 1))
        ],
    }
    return _hashed(
        {
            "tx_inputs": [encode(m.TX_INPUT, {"ref_txid": _h(r), "from_addr": f, "amount": a}) for r, f, a in inputs],
            "tx_outputs": [
                encode(m.TX_OUTPUT, {"amount": a, "to_addr": t}) for a, t in ((b"Z", b"$"), (_h("63acbf98a6"), own))
            ],
            "desc": b"Maybe common transfer transaction",
            "nonce": "159489794519727887",
            "timestamp": 1594897945142968535,
            "version": version,
            "tx_inputs_ext": [
                encode(m.TX_INPUT_EXT, {"bucket": b, "key": k, "ref_txid": _h(r), "ref_offset": o}) for b, k, r, o in reads
            ],
            "tx_outputs_ext": [encode(m.TX_OUTPUT_EXT, {"bucket": "counter.go", "key": b"icexin", "value": b"27"})],
            "contract_requests": [encode(m.INVOKE_REQUEST, request)],
            "initiator": ADDRESS,
            "auth_require": [ADDRESS],
            "initiator_signs": [_signature(CALL_SIGN)],
            "auth_require_signs": [_signature(CALL_SIGN)],
        }
    )[0]


def _signed(digest: Callable[[], bytes], sign: str, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains.xuperchain_keys import public_key, signed

        key = public_key(KEY)
        return key is not None and signed(key, _h(sign), digest()) is expected

    return case


def _address(text: str, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..chains.xuperchain_keys import is_address_of, public_key

        key = public_key(KEY)
        return key is not None and is_address_of(text, key) is expected

    return case


def _path(index: int, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from .. import merkle

        siblings = [_h(s) for s in SIBLINGS]
        root = merkle.repeating_root(_h(TX_ID), siblings, index=index, count=5, algorithm="SHA-256D")
        return (root.hex() == ROOT) is expected

    return case


def _bare_sm2(e: str, expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..keys import sm2
        from .signatures import SM2_KEY, SM2_R, SM2_S

        return sm2.verify_digest(SM2_KEY, SM2_R, SM2_S, _h(e)) is expected

    return case


FORMATS = ("xuperchain", "proof-package")

CASES: dict[str, Callable[[], bool]] = {
    "id of block 14056": lambda: _block_id(5).hex() == BLOCK_ID,
    "id of the block with another count": lambda: _block_id(4).hex() != BLOCK_ID,
    "address of its proposer": _address(ADDRESS, True),
    "address with another letter": _address("QMB1XGYH2vK3gT1BWuaJdKTmcVZ9YBvV9", False),
    "signature of its proposer": _signed(lambda: _h(BLOCK_ID), BLOCK_SIGN, True),
    "signature over another id": _signed(lambda: _h(TX_ID), BLOCK_SIGN, False),
    "id of a transaction of version 1": lambda: _transfer()[0].hex() == TX_ID,
    "signature of its initiator": _signed(lambda: _transfer()[1], INITIATOR_SIGN, True),
    "signature of its initiator over the id": _signed(lambda: _transfer()[0], INITIATOR_SIGN, False),
    "path of five transactions": _path(0, True),
    "path with another index": _path(2, False),
    "id of version 2": lambda: _call(2).hex() == CALL_IDS[2],
    "id of version 3": lambda: _call(3).hex() == CALL_IDS[3],
    "SM2 over the published e": _bare_sm2(SM2_E, True),
    "SM2 over another e": _bare_sm2(BLOCK_ID, False),
}
