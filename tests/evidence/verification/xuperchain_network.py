"""XuperChain's keys, wire and hashes, written a second time from their descriptions and without the engine.

P-256 signatures come from `cryptography`, SM2 ones from the group arithmetic of `gmalg`. Blocks and transactions are plain dicts, so
that a test can change any field and hash and sign it again, or not.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

P256, SM2 = "P-256", "SM2-P-256"
SUITES = (P256, SM2)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Fields = dict[str, Any]


def double(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    kind: str
    secret: int

    @property
    def point(self) -> bytes:
        return _point(self.kind, self.secret)

    @property
    def text(self) -> str:
        x, y = (int.from_bytes(self.point[i : i + 32]) for i in (0, 32))
        return f'{{"Curvname":"{self.kind}","X":{x},"Y":{y}}}'

    @property
    def address(self) -> str:
        from Crypto.Hash import RIPEMD160

        hashed = hashlib.sha256 if self.kind == P256 else _sm3
        body = bytes([1 if self.kind == P256 else 2]) + RIPEMD160.new(hashed(b"\x04" + self.point).digest()).digest()
        return base58(body + (double(body) if self.kind == P256 else _sm3(body).digest())[:4])

    def sign(self, digest: bytes) -> bytes:
        return _sign(self.kind, self.secret, digest)


def key(label: str, kind: str = P256) -> Key:
    return Key(kind, int.from_bytes(hashlib.sha256(label.encode()).digest()) >> 8)


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _sm3(data: bytes) -> Any:
    return hashlib.new("sm3", data)


@cache
def _point(kind: str, secret: int) -> bytes:
    if kind == P256:
        from cryptography.hazmat.primitives.asymmetric import ec

        numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
        return numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    from gmalg import SM2 as Library

    return bytes(Library().generate_pk(secret.to_bytes(32)))[-64:]


@cache
def _sign(kind: str, secret: int, digest: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if kind == P256:
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
        return ec.derive_private_key(secret, ec.SECP256R1()).sign(digest, algorithm)
    from gmalg import SM2 as Library

    order = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
    k = int.from_bytes(hashlib.sha512(secret.to_bytes(32) + digest).digest()) % (order - 1) + 1
    x1 = int.from_bytes(bytes(Library().generate_pk(k.to_bytes(32)))[-64:-32])
    r = (int.from_bytes(digest) + x1) % order
    s = pow(1 + secret, -1, order) * (k - r * secret) % order
    return utils.encode_dss_signature(r, s)


# ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# (number, name, kind); kinds: n number, b bytes, s text, or a table of fields; "*" behind it where repeated, "m" for a map.

TX_INPUT = ((1, "ref_txid", "b"), (2, "ref_offset", "n"), (5, "from_addr", "b"), (6, "amount", "b"), (7, "frozen_height", "n"))
TX_OUTPUT = ((1, "amount", "b"), (2, "to_addr", "b"), (4, "frozen_height", "n"))
READ = ((1, "bucket", "s"), (2, "key", "b"), (3, "ref_txid", "b"), (4, "ref_offset", "n"))
WRITE = ((1, "bucket", "s"), (2, "key", "b"), (3, "value", "b"))
LIMIT = ((1, "type", "n"), (2, "limit", "n"))
REQUEST = (
    (1, "module_name", "s"), (2, "contract_name", "s"), (3, "method_name", "s"), (4, "args", "mb"),
    (5, "resource_limits", (LIMIT, "*")), (6, "amount", "s"),
)  # fmt: skip
SIGN = ((1, "PublicKey", "s"), (2, "Sign", "b"))
TX = (
    (1, "txid", "b"), (2, "blockid", "b"), (3, "tx_inputs", (TX_INPUT, "*")), (4, "tx_outputs", (TX_OUTPUT, "*")),
    (6, "desc", "b"), (7, "coinbase", "n"), (8, "nonce", "s"), (9, "timestamp", "n"), (10, "version", "n"),
    (11, "autogen", "n"), (23, "tx_inputs_ext", (READ, "*")), (24, "tx_outputs_ext", (WRITE, "*")),
    (25, "contract_requests", (REQUEST, "*")), (26, "initiator", "s"), (27, "auth_require", "s*"),
    (28, "initiator_signs", (SIGN, "*")), (29, "auth_require_signs", (SIGN, "*")), (30, "received_timestamp", "n"),
    (31, "xuper_sign", (((1, "public_keys", "b*"), (2, "signature", "b")), "")),
    (32, "modify_block", (((1, "effective_txid", "s"), (2, "marked", "n"), (3, "effective_height", "n")), "")),
    (33, "HD_info", (((1, "hd_public_key", "b"), (2, "original_hash", "b")), "")),
)  # fmt: skip
VOTE = ((1, "Address", "s"), (2, "PublicKey", "s"), (3, "Sign", "b"))
JUSTIFY = (
    (1, "ProposalId", "b"), (2, "ProposalMsg", "b"), (3, "Type", "n"), (4, "ViewNumber", "n"),
    (5, "SignInfos", (((1, "QCSignInfos", (VOTE, "*")),), "")),
)  # fmt: skip
BLOCK = (
    (1, "version", "n"), (2, "nonce", "n"), (3, "blockid", "b"), (4, "pre_hash", "b"), (5, "proposer", "b"), (6, "sign", "b"),
    (7, "pubkey", "b"), (8, "merkle_root", "b"), (9, "height", "n"), (10, "timestamp", "n"), (11, "transactions", (TX, "*")),
    (12, "tx_count", "n"), (13, "merkle_tree", "b*"), (14, "in_trunk", "n"), (15, "next_hash", "b"), (16, "curTerm", "n"),
    (17, "curBlockNum", "n"), (18, "failed_txs", "ms"), (19, "targetBits", "n"), (20, "Justify", (JUSTIFY, "")),
)  # fmt: skip


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def wire(table: Any, fields: Mapping[str, Any]) -> bytes:
    out = b""
    for number, name, kind in table:
        value = fields.get(name)
        if value is None:
            continue
        if kind == "n":
            out += varint(number << 3) + varint(int(value)) if value else b""
        elif isinstance(kind, tuple):
            of, repeated = kind
            items = value if repeated else [value]
            out += b"".join(_length(number, wire(of, item)) for item in items)
        elif kind[0] == "m":
            for k in value:  # a node writes maps in any order
                out += _length(number, _length(1, k.encode()) + _length(2, _octets(value[k])))
        elif kind.endswith("*"):
            out += b"".join(_length(number, _octets(item)) for item in value)
        elif value:
            out += _length(number, _octets(value))
    return out


def _octets(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _length(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


# ── hashes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def go_json(value: Any) -> str:
    """What Go's `json.NewEncoder` writes of a value; a struct is a list of (name, value), a map a dict."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return '"' + base64.b64encode(value).decode() + '"'
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False).replace("\\b", "\\u0008").replace("\\f", "\\u000c")
        for c in "<>&\u2028\u2029":
            text = text.replace(c, f"\\u{ord(c):04x}")
        return text
    if isinstance(value, dict):
        return "{" + ",".join(f"{go_json(k)}:{go_json(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, tuple):
        return "{" + ",".join(f'"{n}":{go_json(v)}' for n, v in value if v not in (None, "", b"", 0, [], {})) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(go_json, value)) + "]" if value else "null"
    return "null" if value is None else str(value)


def struct_of(table: Any, fields: Mapping[str, Any]) -> Any:
    found = []
    for _, name, kind in table:
        value = fields.get(name)
        if isinstance(kind, tuple) and value is not None:
            value = [struct_of(kind[0], v) for v in value] if kind[1] else struct_of(kind[0], value)
        found.append((name, value))
    return tuple(found)


def stream(tx: Fields, *, signs: bool) -> bytes:
    """Transaction versions 1 and 2."""
    parts: list[Any] = []

    def present(value: Any) -> None:
        if value:
            parts.append(value)

    for i in tx.get("tx_inputs", []):
        present(i.get("ref_txid"))
        parts.append(i.get("ref_offset", 0))
        present(i.get("from_addr"))
        present(i.get("amount"))
        parts.append(i.get("frozen_height", 0))
    parts.append([struct_of(TX_OUTPUT, o) for o in tx.get("tx_outputs", [])])
    present(tx.get("desc"))
    parts += [tx.get("nonce", ""), tx.get("timestamp", 0), tx.get("version", 0)]
    for i in tx.get("tx_inputs_ext", []):
        parts.append(i.get("bucket", ""))
        present(i.get("key"))
        present(i.get("ref_txid"))
        parts.append(i.get("ref_offset", 0))
    for o in tx.get("tx_outputs_ext", []):
        parts.append(o.get("bucket", ""))
        present(o.get("key"))
        present(o.get("value"))
    parts.append([struct_of(REQUEST, r) for r in tx.get("contract_requests", [])])
    parts += [tx.get("initiator", ""), list(tx.get("auth_require", []))]
    if signs:
        parts += [[struct_of(SIGN, s) for s in tx.get(n, [])] for n in ("initiator_signs", "auth_require_signs")]
        if tx.get("xuper_sign") is not None:
            parts.append((("public_keys", tx["xuper_sign"].get("public_keys")), ("signature", tx["xuper_sign"].get("signature"))))
    parts += [bool(tx.get("coinbase")), bool(tx.get("autogen"))]
    if tx["version"] >= 2:
        hd = tx.get("HD_info")
        parts.append(None if hd is None else (("hd_public_key", hd.get("hd_public_key")), ("original_hash", hd.get("original_hash"))))
    return "".join(go_json(p) + "\n" for p in parts).encode()


def packed(tx: Fields, *, signs: bool) -> bytes:
    """Transaction version 3."""
    out: list[bytes] = []

    def put(value: Any) -> None:
        if isinstance(value, int):
            out.append(struct.pack(">q", value))
        else:
            out.append(struct.pack(">q", len(_octets(value))) + _octets(value))

    def rows(name: str, *columns: tuple[str, Any]) -> None:
        put(len(tx.get(name, [])))
        for item in tx.get(name, []):
            for column, empty in columns:
                put(item.get(column, empty))

    rows("tx_inputs", ("ref_txid", b""), ("ref_offset", 0), ("from_addr", b""), ("amount", b""), ("frozen_height", 0))
    rows("tx_outputs", ("amount", b""), ("to_addr", b""), ("frozen_height", 0))
    for name, empty in (("desc", b""), ("coinbase", 0), ("nonce", ""), ("timestamp", 0), ("version", 0), ("autogen", 0)):
        put(tx.get(name, empty))
    rows("tx_inputs_ext", ("bucket", ""), ("key", b""), ("ref_txid", b""), ("ref_offset", 0))
    rows("tx_outputs_ext", ("bucket", ""), ("key", b""), ("value", b""))
    put(len(tx.get("contract_requests", [])))
    for r in tx.get("contract_requests", []):
        for name in ("module_name", "contract_name", "method_name"):
            put(r.get(name, ""))
        put(len(r.get("args", {})))
        for k in sorted(r.get("args", {})):
            put(k)
            put(r["args"][k])
        put(len(r.get("resource_limits", [])))
        for limit in r.get("resource_limits", []):
            put(limit.get("type", 0))
            put(limit.get("limit", 0))
        put(r.get("amount", ""))
    put(tx.get("initiator", ""))
    put(len(tx.get("auth_require", [])))
    for a in tx.get("auth_require", []):
        put(a)
    if signs:
        rows("initiator_signs", ("PublicKey", ""), ("Sign", b""))
        rows("auth_require_signs", ("PublicKey", ""), ("Sign", b""))
        joint = tx.get("xuper_sign") or {}
        put(len(joint.get("public_keys", [])))
        for k in joint.get("public_keys", []):
            put(k)
        put(joint.get("signature", b""))
    hd = tx.get("HD_info") or {}
    put(hd.get("hd_public_key", b""))
    put(hd.get("original_hash", b""))
    return b"".join(out)


def preimage(tx: Fields, *, signs: bool) -> bytes:
    return packed(tx, signs=signs) if tx["version"] == 3 else stream(tx, signs=signs)


def signed_tx(tx: Fields, by: Sequence[Key]) -> Fields:
    """The transaction, signed by its initiator (the first) and everyone it requires, with its id."""
    digest = double(preimage(tx, signs=False))
    tx["initiator_signs"] = [{"PublicKey": by[0].text, "Sign": by[0].sign(digest)}]
    tx["auth_require_signs"] = [{"PublicKey": k.text, "Sign": k.sign(digest)} for k in by]
    return identified(tx)


def identified(tx: Fields) -> Fields:
    tx["txid"] = double(preimage(tx, signs=True))
    return tx


def tree_of(ids: Sequence[bytes]) -> list[bytes]:
    """MakeMerkleTree: leaves padded with nothing to a power of two, then level upon level."""
    size = 1
    while size < len(ids):
        size *= 2
    level = [*ids, *[b""] * (size - len(ids))]
    tree = list(level)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [double(a + (b or a)) if a else b"" for a, b in pairs]
        tree += level
    return tree


def path_in(tree: Sequence[bytes], index: int) -> list[bytes]:
    """Siblings bottom-up; where there is none, the node itself."""
    path, start, size = [], 0, (len(tree) + 1) // 2
    while size > 1:
        path.append(tree[start + (index ^ 1)] or tree[start + index])
        start, size, index = start + size, size // 2, index // 2
    return path


def hashed_block(b: Fields) -> bytes:
    out = struct.pack("<iii", b.get("version", 0), b.get("nonce", 0), b.get("tx_count", 0))
    out += b.get("proposer", b"") + struct.pack("<q", b.get("timestamp", 0)) + b.get("pubkey", b"")
    out += b.get("pre_hash", b"") + b.get("merkle_root", b"")
    out += b"".join(b.get("failed_txs", {})[k].encode() for k in sorted(b.get("failed_txs", {})))
    out += struct.pack("<qq", b.get("curTerm", 0), b.get("curBlockNum", 0))
    out += struct.pack("<i", b["targetBits"]) if b.get("targetBits", 0) > 0 else b""
    j = b.get("Justify")
    if j is not None:
        out += j.get("ProposalId", b"") + j.get("ProposalMsg", b"") + struct.pack("<iq", j.get("Type", 0), j.get("ViewNumber", 0))
        for v in (j.get("SignInfos") or {}).get("QCSignInfos", []):
            out += v["Address"].encode() + v["PublicKey"].encode() + v["Sign"]
    return double(out)


def sealed(b: Fields, by: Key) -> Fields:
    """Proposer, key, id and signature."""
    b.update(proposer=by.address.encode(), pubkey=by.text.encode())
    b["blockid"] = hashed_block(b)
    b["sign"] = by.sign(b["blockid"])
    return b


def certificate(block_id: bytes, voters: Sequence[Key], view: int) -> Fields:
    votes = [{"Address": v.address, "PublicKey": v.text, "Sign": v.sign(block_id)} for v in voters]
    return {"ProposalId": block_id, "Type": 1, "ViewNumber": view, "SignInfos": {"QCSignInfos": votes}}
