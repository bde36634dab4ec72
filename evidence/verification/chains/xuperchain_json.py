"""The two spellings in which XuperChain's tools print blocks and transactions -> the bytes of the messages.

`sdk`   the generated structs or protobuf JSON: base64, every field (gRPC gateway, SDKs)
`cli`   xchain-cli (`core/cmd/cli/types.go`): ids as hex, amounts as decimals, `desc` and arguments as text. It leaves out frozen
        heights, amounts of calls, HD info, joint signatures, the block's nonce and target, and replaces what is not UTF-8. So it
        can be written back exactly when none of these was used, which the hash shows; otherwise nothing can be said (`lossy`).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..codecs import protobuf, protobuf_json
from ..codecs.protobuf import MessageType, ProtobufError
from ..codecs.text import CodecError, base64_bytes, hex_bytes
from ..reasons import Reason
from . import xuperchain_messages as m
from .xuperchain_messages import Unreadable

SDK, CLI = "sdk", "cli"
STYLES = (CLI, SDK)
AMOUNT_DIGITS_MAX = 78
"""Decimal digits of 2**256: more than any supply."""

_AMOUNT = re.compile(rf"0|[1-9][0-9]{{0,{AMOUNT_DIGITS_MAX - 1}}}", re.ASCII)

Convert = Callable[[Any], Any]
Table = Mapping[str, tuple[str, Convert]]
"""Member of the JSON object -> (field of the message, how its value is read)."""


def style_of(value: Mapping[str, Any]) -> str:
    """By the id, which one spelling prints as 64 hex digits and the other as 44 characters of base64."""
    for name in ("txid", "blockid"):
        text = value.get(name)
        if isinstance(text, str) and text:
            return CLI if len(text) == 2 * m.HASH_BYTES else SDK
    return SDK


def to_wire(value: Any, of: MessageType, *, style: str) -> list[bytes]:
    """A JSON object -> the bytes it can stand for; more than one where the spelling does not tell. Raises Unreadable."""
    try:
        if style == SDK:
            return [protobuf_json.to_wire(value, of)]
        if of is m.TRANSACTION:
            return [_message(_TRANSACTION, of)(value)]
        return _block(value)
    except ProtobufError as fault:
        raise m.unreadable(fault) from fault
    except (CodecError, ValueError, OverflowError) as fault:
        if isinstance(fault, Unreadable):
            raise
        raise Unreadable(Reason.FORMAT_FAILURE, str(fault)) from fault


def _block(value: Any) -> list[bytes]:
    """`justify` is printed as {} both when the block has none and when it has an empty one."""
    found: bytes = _message(_BLOCK, m.BLOCK)(value)
    if value.get("justify") != {}:
        return [found]
    return [found, found + m.BLOCK.by_name["Justify"].tag + b"\0"]


def _octets(value: Any) -> bytes:
    return hex_bytes(_text(value))


def _base64(value: Any) -> bytes:
    return base64_bytes(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CodecError("not a text")
    return value


def _utf8(value: Any) -> bytes:
    return _text(value).encode()


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 63:
        raise CodecError("not an integer")
    return value


def _flag(value: Any) -> int:
    if not isinstance(value, bool):
        raise CodecError("neither true nor false")
    return int(value)


def _amount(value: Any) -> bytes:
    text = _text(value)
    if not _AMOUNT.fullmatch(text):
        raise CodecError("not a decimal amount")
    number = int(text)
    return number.to_bytes((number.bit_length() + 7) // 8)


def _stage(value: Any) -> int:
    number = _integer(value)
    if number not in m.STAGES.values():
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "justify.Type")
    return number


def _resource(value: Any) -> int:
    if value not in m.RESOURCES:
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "resource_limits.type")
    return m.RESOURCES[value]


def _each(convert: Convert) -> Convert:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise CodecError("not a list")
        return [convert(item) for item in value]

    return read


def _map(convert: Convert) -> Convert:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise CodecError("not an object")
        return {key: convert(item) for key, item in value.items()}

    return read


def _message(table: Table, of: MessageType) -> Convert:
    def read(value: Any) -> bytes:
        if not isinstance(value, dict):
            raise CodecError("not an object")
        found: dict[str, Any] = {}
        for name, item in value.items():
            if name not in table:
                raise Unreadable(Reason.UNSUPPORTED_FORMAT, f"{of.name}.{name[:64]}")
            field, convert = table[name]
            if item is not None:
                found[field] = convert(item)
        return protobuf.encode(of, found)

    return read


def _modified(value: Any) -> bytes | None:
    """An empty mark is printed for every transaction that has none."""
    found: bytes = _message(_MODIFY_BLOCK, m.MODIFY_BLOCK)(value)
    return found or None


def _justify(value: Any) -> bytes | None:
    return _message(_QUORUM_CERT, m.QUORUM_CERT)(value) if value else None


_TX_INPUT: Table = {
    "refTxid": ("ref_txid", _octets),
    "refOffset": ("ref_offset", _integer),
    "fromAddr": ("from_addr", _utf8),
    "amount": ("amount", _amount),
}
_TX_OUTPUT: Table = {"amount": ("amount", _amount), "toAddr": ("to_addr", _utf8)}
_TX_INPUT_EXT: Table = {
    "bucket": ("bucket", _text),
    "key": ("key", _utf8),
    "refTxid": ("ref_txid", _octets),
    "refOffset": ("ref_offset", _integer),
}
_TX_OUTPUT_EXT: Table = {"bucket": ("bucket", _text), "key": ("key", _utf8), "value": ("value", _utf8)}
_RESOURCE_LIMIT: Table = {"type": ("type", _resource), "limit": ("limit", _integer)}
_INVOKE_REQUEST: Table = {
    "moduleName": ("module_name", _text),
    "contractName": ("contract_name", _text),
    "methodName": ("method_name", _text),
    "args": ("args", _map(_utf8)),
    "resource_limits": ("resource_limits", _each(_message(_RESOURCE_LIMIT, m.RESOURCE_LIMIT))),
}
_SIGNATURE: Table = {"publickey": ("PublicKey", _text), "sign": ("Sign", _octets)}
_MODIFY_BLOCK: Table = {
    "marked": ("marked", _flag),
    "effectiveHeight": ("effective_height", _integer),
    "effectiveTxid": ("effective_txid", _text),
}
_TRANSACTION: Table = {
    "txid": ("txid", _octets),
    "blockid": ("blockid", _octets),
    "txInputs": ("tx_inputs", _each(_message(_TX_INPUT, m.TX_INPUT))),
    "txOutputs": ("tx_outputs", _each(_message(_TX_OUTPUT, m.TX_OUTPUT))),
    "desc": ("desc", _utf8),
    "nonce": ("nonce", _text),
    "timestamp": ("timestamp", _integer),
    "version": ("version", _integer),
    "autogen": ("autogen", _flag),
    "coinbase": ("coinbase", _flag),
    "txInputsExt": ("tx_inputs_ext", _each(_message(_TX_INPUT_EXT, m.TX_INPUT_EXT))),
    "txOutputsExt": ("tx_outputs_ext", _each(_message(_TX_OUTPUT_EXT, m.TX_OUTPUT_EXT))),
    "contractRequests": ("contract_requests", _each(_message(_INVOKE_REQUEST, m.INVOKE_REQUEST))),
    "initiator": ("initiator", _text),
    "authRequire": ("auth_require", _each(_text)),
    "initiatorSigns": ("initiator_signs", _each(_message(_SIGNATURE, m.SIGNATURE))),
    "authRequireSigns": ("auth_require_signs", _each(_message(_SIGNATURE, m.SIGNATURE))),
    "receivedTimestamp": ("received_timestamp", _integer),
    "modifyBlock": ("modify_block", _modified),
}
_SIGN_INFO: Table = {"Address": ("Address", _text), "PublicKey": ("PublicKey", _text), "Sign": ("Sign", _base64)}
_SIGN_INFOS: Table = {"QCSignInfos": ("QCSignInfos", _each(_message(_SIGN_INFO, m.SIGN_INFO)))}
_QUORUM_CERT: Table = {
    "ProposalId": ("ProposalId", _octets),
    "ProposalMsg": ("ProposalMsg", _base64),
    "Type": ("Type", _stage),
    "ViewNumber": ("ViewNumber", _integer),
    "SignInfos": ("SignInfos", _message(_SIGN_INFOS, m.SIGN_INFOS)),
}
_BLOCK: Table = {
    "version": ("version", _integer),
    "blockid": ("blockid", _octets),
    "preHash": ("pre_hash", _octets),
    "proposer": ("proposer", _utf8),
    "sign": ("sign", _octets),
    "pubkey": ("pubkey", _utf8),
    "merkleRoot": ("merkle_root", _octets),
    "height": ("height", _integer),
    "timestamp": ("timestamp", _integer),
    "transactions": ("transactions", _each(_message(_TRANSACTION, m.TRANSACTION))),
    "txCount": ("tx_count", _integer),
    "merkleTree": ("merkle_tree", _each(_octets)),
    "inTrunk": ("in_trunk", _flag),
    "nextHash": ("next_hash", _octets),
    "failedTxs": ("failed_txs", _map(_text)),
    "curTerm": ("curTerm", _integer),
    "curBlockNum": ("curBlockNum", _integer),
    "justify": ("Justify", _justify),
}
