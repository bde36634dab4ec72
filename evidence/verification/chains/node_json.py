"""Members of the JSON answers of FISCO BCOS nodes, read strictly: a value of the wrong form raises CodecError.

Hex is lower case with or without 0x; integers are JSON integers or decimal text and, where a node prints quantities, `0x…` without
leading zeros. Nothing is converted from one kind to another on the way.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..codecs.text import CodecError, decimal, hex_bytes

TEXT_MAX = 255
"""Characters of a chain id, group id or number written as text; real ones stay under 80."""
HASH_BYTES = 32
ADDRESS_BYTES = 20

ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{40}", re.ASCII)
_QUANTITY = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,63})", re.ASCII)


class LimitError(CodecError):
    """More items than any real answer has: not read, and nothing is said about it."""


def unwrap(value: object) -> Mapping[str, Any] | None:
    """The answer itself: the object, or the `result` of its JSON-RPC envelope; None when there is no object."""
    if isinstance(value, dict) and "jsonrpc" in value:
        value = value.get("result")
    return value if isinstance(value, dict) else None


DOCUMENTED = frozenset(
    """
    abi address attribute blockHash blockLimit blockNumber chainID chainId checksumContractAddress code consensusWeights contractAddress
    data dbHash effectiveGasPrice extension extraData from gas gasLimit gasPrice gasUsed groupID groupId hash id importTime index
    input jsonrpc left logEntries logIndex logs logsBloom maxFeePerGas maxPriorityFeePerGas message nonce number output parentHash
    parentInfo r receiptProof receiptsRoot remainGas removed result right root s sealer sealerIndex sealerList signature signatureList
    stateRoot status statusMsg timestamp to topics transaction transactionHash transactionIndex transactionProof transactionReceipt
    transactions transactionsRoot txProof txReceiptProof txsRoot type v value version weight
    """.split()
)
"""Names of members in the answers of documented nodes, 2.x and 3.x; the others are read by nobody."""
STRANGE_MAX = 8
"""Strange members that are named."""
NAME_SHOWN = 64


def strange(answer: object) -> tuple[str, ...]:
    """Names of members, at any depth, that no documented node writes: what they say is bound by nothing."""
    found: dict[str, None] = {}
    waiting = [answer]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found.update((name, None) for name in value if name not in DOCUMENTED)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return tuple(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[:NAME_SHOWN])
        for name in sorted(found)[:STRANGE_MAX]
    )


def address(text: str) -> str:
    """One spelling of an address for comparison: lower case with 0x; empty stays empty."""
    lowered = text.lower()
    return lowered if not lowered or lowered.startswith("0x") else "0x" + lowered


def member(value: object, name: str) -> Any:
    if not isinstance(value, dict) or value.get(name) is None:
        raise CodecError(f"{name} is not there")
    return value[name]


def items(value: object, name: str, limit: int) -> list[Any]:
    found = member(value, name)
    if not isinstance(found, list):
        raise CodecError(f"{name} is not a list")
    if len(found) > limit:
        raise LimitError(f"{name} has more than {limit} items")
    return found


def text(value: object, name: str, *, limit: int | None = TEXT_MAX) -> str:
    found = member(value, name)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or (limit is not None and len(found) > limit):
        raise CodecError(f"{name} is not a text, or too long")
    return found


def integer(value: object, *, bits: int = 64, signed: bool = False) -> int:
    """A JSON integer, or the same as decimal text; of `bits` bits with its sign, and not negative unless `signed`."""
    if isinstance(value, str):
        value = decimal(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CodecError("not an integer")
    if value >> (bits - 1) not in ((0, -1) if signed else (0,)):
        raise CodecError("an integer out of range")
    return value


def quantity(value: object, *, bits: int = 256) -> int:
    """An unsigned number of `bits` bits as FISCO BCOS 2 prints it (`0x1f`), as a JSON integer, or as decimal text."""
    if isinstance(value, str):
        if value.startswith("0x"):
            if not _QUANTITY.fullmatch(value):
                raise CodecError("not a canonical quantity")
            value = int(value, 16)
        else:
            value = decimal(value, maximum=(1 << bits) - 1)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise CodecError("not a number of this width")
    return value


def octets(value: object, *, length: int | None = None) -> bytes:
    """Lower-case hex with or without 0x (headers and inputs carry it, paths do not)."""
    if not isinstance(value, str):
        raise CodecError("not a hex text")
    return hex_bytes(value.removeprefix("0x"), length=length)


def optional_text(value: Mapping[str, Any], name: str, *, limit: int | None = TEXT_MAX) -> str | None:
    return None if value.get(name) is None else text(value, name, limit=limit)


def optional_integer(value: Mapping[str, Any], name: str, *, bits: int = 64) -> int | None:
    return None if value.get(name) is None else integer(value[name], bits=bits)


def optional_quantity(value: Mapping[str, Any], name: str, *, bits: int = 256) -> int | None:
    return None if value.get(name) is None else quantity(value[name], bits=bits)


def optional_octets(value: Mapping[str, Any], name: str, *, length: int | None = None) -> bytes | None:
    return None if value.get(name) is None else octets(value[name], length=length)


def optional_hash(value: Mapping[str, Any], name: str) -> bytes | None:
    """A hash; nodes print an empty one ("0x") when they have none."""
    data = optional_octets(value, name)
    if not data:
        return None
    if len(data) != HASH_BYTES:
        raise CodecError(f"{name} is not a hash")
    return data


def optional_address(value: Mapping[str, Any], name: str) -> bytes | None:
    found = optional_text(value, name)
    if not found or found == "0x":
        return None
    if not ADDRESS.fullmatch(found):
        raise CodecError(f"{name} is not an address")
    return bytes.fromhex(address(found)[2:])
