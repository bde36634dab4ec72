"""What XuperChain hashes: block ids, transaction ids, the digests that are signed (spec consortium-chains §8).

Sources: xupercore `bcs/ledger/xledger/ledger/ledger_hash.go` (MakeBlockID), `.../state/utxo/txhash/txhash.go` and `encode.go`.
Everything is SHA-256 twice. Neither preimage of a block nor the one of transaction versions 1 and 2 has lengths between its parts;
what that leaves open is said where it matters: `tail_is_clear`, `writes_are_clear`.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .. import digests
from ..codecs.protobuf import Field, Kind, Message
from ..codecs.text import CodecError, base64_bytes
from .xuperchain_messages import HASH_BYTES, Block, Transaction

DOUBLE = "SHA-256D"
TRANSACTION_VERSIONS = (1, 2, 3)
COUNTER_MAX = 1 << 32
"""A block's number within its term lies far below this: above, its upper half could be read as `targetBits`."""


# ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def block_id(block: Block) -> bytes:
    """MakeBlockID: numbers little-endian, no lengths. The height is not in it, nor are the keys of `failed_txs`."""
    b = block.body
    failed = b.entries("failed_txs")
    return digests.digest(
        DOUBLE,
        b"".join(
            (
                _le(b.number("version"), 4),
                _le(b.number("nonce"), 4),
                _le(b.number("tx_count"), 4),
                b.data("proposer"),
                _le(b.number("timestamp"), 8),
                b.data("pubkey"),
                b.data("pre_hash"),
                b.data("merkle_root"),
                *(failed[key].encode() for key in sorted(failed)),
                _le(b.number("curTerm"), 8),
                _le(b.number("curBlockNum"), 8),
                _le(b.number("targetBits"), 4) if b.number("targetBits") > 0 else b"",
                *_justify(b.message("Justify")),
            )
        ),
    )


def _justify(justify: Message | None) -> Iterator[bytes]:
    if justify is None:
        return
    yield justify.data("ProposalId") + justify.data("ProposalMsg")
    yield _le(justify.number("Type"), 4) + _le(justify.number("ViewNumber"), 8)
    for sign in votes(justify):
        yield sign.text("Address").encode() + sign.text("PublicKey").encode() + sign.data("Sign")


def votes(justify: Message) -> tuple[Message, ...]:
    infos = justify.message("SignInfos")
    return infos.messages("QCSignInfos") if infos else ()


def tail_is_clear(block: Block) -> bool:
    """Whether a block that lists no failed transaction can be read in no other way, with some.

    Behind the root stand, without lengths: reasons of failure, two counters, sometimes `targetBits`, sometimes `Justify`. A block
    with failures whose `Justify` begins after 16 or 20 bytes of text could be shown without them; so what stands there must be the
    hash of the block before, which nobody knew when the reasons were written.
    """
    b = block.body
    justify = b.message("Justify")
    if not 0 <= b.number("curBlockNum") < COUNTER_MAX or not 0 <= b.number("curTerm") < COUNTER_MAX:
        return False
    return justify is None or (len(block.pre_hash) == HASH_BYTES and justify.data("ProposalId") == block.pre_hash)


# ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hashed:
    """`id`: the transaction's own; `digest`: what its senders signed; `rendering`: the documented one that matched, "" for the usual."""

    id: bytes
    digest: bytes
    rendering: str = ""


def transaction_hash(transaction: Transaction) -> Hashed | None:
    """The transaction's hashes; under the first documented rendering that gives the id it carries, or the usual one when none does.

    None for a version that this reader does not know.
    """
    body = transaction.body
    version = body.number("version")
    if version not in TRANSACTION_VERSIONS:
        return None
    if version == 3:
        return Hashed(digests.digest(DOUBLE, _encoded(body, True)), digests.digest(DOUBLE, _encoded(body, False)))
    found = [
        Hashed(
            digests.digest(DOUBLE, _stream(body, True, escapes)), digests.digest(DOUBLE, _stream(body, False, escapes)), rendering
        )
        for rendering, escapes in _ESCAPES.items()
    ]
    return next((h for h in found if h.id == transaction.txid), found[0])


def _stream(body: Message, signs: bool, escapes: dict[str, str]) -> bytes:
    """Versions 1 and 2: values of Go's `encoding/json`, one to a line, absent ones left out."""
    return "".join(line + "\n" for line in _lines(body, signs, escapes)).encode()


def _lines(body: Message, signs: bool, escapes: dict[str, str]) -> Iterator[str]:
    def text(value: str) -> str:
        return _string(value, escapes)

    def each(name: str) -> str:
        return _array(_object(m, escapes) for m in body.messages(name))

    for given in body.messages("tx_inputs"):
        yield from _present(given, "ref_txid")
        yield str(given.number("ref_offset"))
        yield from _present(given, "from_addr", "amount")
        yield str(given.number("frozen_height"))
    yield each("tx_outputs")
    yield from _present(body, "desc")
    yield text(body.text("nonce"))
    yield str(body.number("timestamp"))
    yield str(body.number("version"))
    for read in body.messages("tx_inputs_ext"):
        yield text(read.text("bucket"))
        yield from _present(read, "key", "ref_txid")
        yield str(read.number("ref_offset"))
    for written in body.messages("tx_outputs_ext"):
        yield text(written.text("bucket"))
        yield from _present(written, "key", "value")
    yield each("contract_requests")
    yield text(body.text("initiator"))
    yield _array(text(a) for a in body.texts("auth_require"))
    if signs:
        yield each("initiator_signs")
        yield each("auth_require_signs")
        xuper_sign = body.message("xuper_sign")
        if xuper_sign is not None:
            yield _object(xuper_sign, escapes)
    yield "true" if body.number("coinbase") else "false"
    yield "true" if body.number("autogen") else "false"
    if body.number("version") >= 2:
        hd_info = body.message("HD_info")
        yield "null" if hd_info is None else _object(hd_info, escapes)


def _present(message: Message, *names: str) -> Iterator[str]:
    for name in names:
        value = message.data(name)
        if value:
            yield _base64(value)


def _array(items: Iterable[str]) -> str:
    """A nil slice is what a node holds of an empty list: Go writes it as null."""
    found = list(items)
    return f"[{','.join(found)}]" if found else "null"


def _object(message: Message, escapes: dict[str, str]) -> str:
    """A generated struct: members in the order of declaration, which is that of their numbers, and zero values left out."""
    members = (
        f'"{field.name}":{_member(message.values[field.name], field, escapes)}'
        for field in message.type.fields
        if message.has(field.name)
    )
    return "{" + ",".join(members) + "}"


def _member(value: object, field: Field, escapes: dict[str, str]) -> str:
    if field.is_map and isinstance(value, dict):
        return "{" + ",".join(f"{_string(k, escapes)}:{_base64(value[k])}" for k in sorted(value)) + "}"
    if field.repeated and isinstance(value, list):
        return "[" + ",".join(_single(item, escapes) for item in value) + "]"
    return _single(value, escapes)


def _single(value: object, escapes: dict[str, str]) -> str:
    if isinstance(value, Message):
        return _object(value, escapes)
    if isinstance(value, bytes):
        return _base64(value)
    return _string(value, escapes) if isinstance(value, str) else str(value)


def _base64(value: bytes) -> str:
    return '"' + base64.b64encode(value).decode() + '"'


_ESCAPED = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029]')
_OLD = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_ESCAPES = {"": _OLD, "escapes of Go 1.22": {**_OLD, "\b": "\\b", "\f": "\\f"}}
"""Go's `encoding/json` with HTML escaping; releases from 1.22 on write two control characters shorter."""


def _string(value: str, escapes: dict[str, str]) -> str:
    return '"' + _ESCAPED.sub(lambda m: escapes.get(m[0]) or f"\\u{ord(m[0]):04x}", value) + '"'


def _encoded(body: Message, signs: bool) -> bytes:
    """Version 3: numbers as 8 bytes, big-endian; texts and bytes behind their length; lists behind their count."""
    out = bytearray()

    def number(value: int) -> None:
        out.extend(value.to_bytes(8, signed=True))

    def octets(value: bytes) -> None:
        number(len(value))
        out.extend(value)

    def listed(items: tuple[Message, ...], *names: str) -> None:
        number(len(items))
        for item in items:
            fields(item, *names)

    def fields(item: Message, *names: str) -> None:
        for name in names:
            kind = item.type.by_name[name].kind
            if kind is Kind.BYTES:
                octets(item.data(name))
            elif kind is Kind.STRING:
                octets(item.text(name).encode())
            else:
                number(item.number(name))

    listed(body.messages("tx_inputs"), "ref_txid", "ref_offset", "from_addr", "amount", "frozen_height")
    listed(body.messages("tx_outputs"), "amount", "to_addr", "frozen_height")
    fields(body, "desc", "coinbase", "nonce", "timestamp", "version", "autogen")
    listed(body.messages("tx_inputs_ext"), "bucket", "key", "ref_txid", "ref_offset")
    listed(body.messages("tx_outputs_ext"), "bucket", "key", "value")
    number(len(body.messages("contract_requests")))
    for request in body.messages("contract_requests"):
        fields(request, "module_name", "contract_name", "method_name")
        args = request.entries("args")
        number(len(args))
        for key in sorted(args):
            octets(key.encode())
            octets(args[key])
        listed(request.messages("resource_limits"), "type", "limit")
        fields(request, "amount")
    fields(body, "initiator")
    number(len(body.texts("auth_require")))
    for name in body.texts("auth_require"):
        octets(name.encode())
    if signs:
        listed(body.messages("initiator_signs"), "PublicKey", "Sign")
        listed(body.messages("auth_require_signs"), "PublicKey", "Sign")
        xuper_sign = body.message("xuper_sign")
        keys = xuper_sign.parts("public_keys") if xuper_sign else ()
        number(len(keys))
        for public_key in keys:
            octets(public_key)
        octets(xuper_sign.data("signature") if xuper_sign else b"")
    hd_info = body.message("HD_info")
    octets(hd_info.data("hd_public_key") if hd_info else b"")
    octets(hd_info.data("original_hash") if hd_info else b"")
    return bytes(out)


_BUCKET = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$]{0,31}", re.ASCII)
"""Names of contracts have 4 to 16 of these characters, those of the chain's own buckets some more."""


def writes_are_clear(transaction: Transaction) -> bool:
    """Whether the bytes that were hashed can be read as these writes and as no others.

    In versions 1 and 2 the writes are a row of texts without borders: bucket, key, value, bucket … A value that looks like a
    bucket's name could be one, and what follows it the key. So each way of cutting the row into groups of a name, a key and
    perhaps a value is counted, and there must be one.
    """
    if transaction.body.number("version") == 3:
        return True
    row: list[str] = []
    for written in transaction.body.messages("tx_outputs_ext"):
        if not written.text("bucket") or not written.data("key"):
            return False
        row += [written.text("bucket"), base64.b64encode(written.data("key")).decode()]
        row += [base64.b64encode(written.data("value")).decode()] if written.data("value") else []
    ways = [1] + [0] * len(row)
    for end in range(2, len(row) + 1):
        for size in (2, 3):
            start = end - size
            if start >= 0 and _BUCKET.fullmatch(row[start]) and all(_is_base64(r) for r in row[start + 1 : end]):
                ways[end] += ways[start]
    return ways[-1] == 1


def _is_base64(text: str) -> bool:
    try:
        return bool(base64_bytes(text))
    except CodecError:
        return False


def _le(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=True)
