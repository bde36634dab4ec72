"""The envelope of a proof package: its common members, read strictly (spec consortium-chains §9.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import digests, merkle
from ..certificates.claim import ClaimedFile
from ..codecs import strict_json
from ..codecs.text import base64_bytes, decimal, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Bearing, Finding, failed, indeterminate
from . import ladder

FORMAT = "mingjian.chain-proof"
VERSION = 1
PACKAGE_BYTES_MAX = 64 << 20
"""Spec §2 rule 6."""
EVIDENCE_MAX = 1000
"""Files named by one package."""
LINKS_MAX = 10_000
"""Successor headers of one package (spec §2 rule 6)."""
PRE_IMAGE_BYTES_MAX = 1 << 20
"""A record that is hashed before it is stored holds ids and digests, not the file."""
TEXT_MAX = 1024

FAMILIES = ("chainmaker", "fisco2", "fisco3", "fabric", "xuperchain")
HASHES = {"SHA256": "SHA-256", "SM3": "SM3", "SHA3-256": "SHA3-256", "KECCAK256": "KECCAK-256"}
SIGNATURES = ("ECDSA-P256", "ECDSA-SECP256K1", "SM2", "RSA")
WHERE = ("param", "event", "write", "desc", "input")
ENCODINGS = ("hex-text", "base64-text", "bytes")


class PackageError(ValueError):
    """The package is not of the documented form; the message names the member."""


class PackageLimit(PackageError):
    """More of something than a package may hold."""


@dataclass(frozen=True, slots=True)
class Package:
    """`body`: the members of the family, as they stand; `unread`: members named x_…, which are ignored."""

    name: str
    family: str
    chain_id: str
    group_id: str | None
    genesis_hash: bytes
    hash: str
    signature: str
    engine: str
    """Version of the node, as the package says."""
    evidence: tuple[ClaimedFile, ...]
    pre_images: tuple[tuple[bytes, bytes], ...]
    links: tuple[Any, ...]
    body: Mapping[str, Any]
    unread: tuple[str, ...]

    def unread_because(self, reason: Reason, actual: str) -> Finding:
        return unreadable(reason, self.name, actual)


_COMMON = ("format", "version", "family", "chain", "evidence", "links", "producer")
_BODY = {
    "chainmaker": ("transaction", "inclusion", "header", "finality", "block", "rwset", "config_blocks"),
    "fisco2": ("transaction", "receipt", "header", "tx_hashes"),
    "fisco3": ("transaction", "receipt", "header", "tx_hashes", "receipt_hashes", "raw_tx"),
    "fabric": ("block", "tx_id", "config_block", "peers"),
    "xuperchain": (
        "transaction", "transaction_json", "json_style", "block", "tx_index", "merkle_path", "next_block",
    ),
}  # fmt: skip


def unreadable(reason: Reason, name: str, actual: str) -> Finding:
    """Step 0 of a package that cannot be used: it must reach the verdict."""
    maker = failed if reason is Reason.FORMAT_FAILURE else indeterminate
    return maker(ladder.LEDGER_KIND, reason, name, actual=actual[:TEXT_MAX], bearing=Bearing.DECISIVE)


def read(source: Source) -> Package:
    data = source.read(PACKAGE_BYTES_MAX)
    if data is None:
        raise PackageLimit(f"{source.size} bytes")
    value = strict_json.loads(data)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise PackageError(f"format is not {FORMAT}")
    if integer(value, "version") != VERSION:
        raise PackageError("version is not 1")
    family = text(value, "family")
    if family not in FAMILIES:
        raise PackageError("family is none of the five")
    unread = known(value, (*_COMMON, *_BODY[family]), "")
    chain = obj(value, "chain")
    unread += known(chain, ("chain_id", "group_id", "genesis_hash", "engine", "hash", "signature"), "chain.")
    hashed, signed = text(chain, "hash"), text(chain, "signature")
    if hashed not in HASHES or signed not in SIGNATURES:
        raise PackageError("chain.hash or chain.signature is none of those listed")
    if family in ("fisco2", "fisco3") and chain.get("group_id") is None:
        raise PackageError("chain.group_id is missing")
    evidence, pre_images = _evidence(value)
    links = value.get("links", [])
    if not isinstance(links, list):
        raise PackageError("links is not a list")
    if len(links) > LINKS_MAX:
        raise PackageLimit(f"{len(links)} links")
    producer = value.get("producer")
    if producer is not None:
        unread += known(obj(value, "producer"), ("name", "at", "node", "software"), "producer.")
    group = chain.get("group_id")
    return Package(
        name=source.name,
        family=family,
        chain_id=text(chain, "chain_id"),
        group_id=str(group) if isinstance(group, int) else (None if group is None else text(chain, "group_id")),
        genesis_hash=hex_bytes(text(chain, "genesis_hash"), length=32),
        hash=HASHES[hashed],
        signature=signed,
        engine=text(chain, "engine"),
        evidence=evidence,
        pre_images=pre_images,
        links=tuple(links),
        body={name: value[name] for name in _BODY[family] if value.get(name) is not None},
        unread=tuple(unread),
    )


def _evidence(value: Mapping[str, Any]) -> tuple[tuple[ClaimedFile, ...], tuple[tuple[bytes, bytes], ...]]:
    items = value.get("evidence")
    if not isinstance(items, list) or not items:
        raise PackageError("evidence is not a list of at least one")
    if len(items) > EVIDENCE_MAX:
        raise PackageLimit(f"{len(items)} items of evidence")
    files: list[ClaimedFile] = []
    pre_images: list[tuple[bytes, bytes]] = []
    for number, item in enumerate(items):
        where = f"evidence[{number}]."
        if not isinstance(item, dict):
            raise PackageError(f"{where[:-1]} is not an object")
        known(item, ("name", "size", "digest_alg", "digest", "location", "certificate_no"), where)
        algorithm = text(item, "digest_alg", where)
        if algorithm not in digests.STRONG:
            raise PackageError(f"{where}digest_alg is none of those listed")
        digest = hex_bytes(text(item, "digest", where), length=digests.LENGTH[algorithm])
        size = integer(item, "size", where) if item.get("size") is not None else None
        files.append(ClaimedFile(text(item, "name", where), size, algorithm, digest))
        if item.get("location") is not None:
            pre_images += [(digest, p) for p in _location(obj(item, "location", where), where + "location.")]
    return tuple(files), tuple(pre_images)


def _location(location: Mapping[str, Any], where: str) -> list[bytes]:
    """The form is checked; the court's own map decides where the digest stands. -> the pre-image, if one is given."""
    known(location, ("where", "contract", "method", "key", "encoding", "pre_image"), where)
    if text(location, "where", where) not in WHERE or text(location, "encoding", where) not in ENCODINGS:
        raise PackageError(f"{where}where or {where}encoding is none of those listed")
    for name in ("contract", "method", "key"):
        if location.get(name) is not None:
            text(location, name, where)
    if location.get("pre_image") is None:
        return []
    encoded = location["pre_image"]
    if not isinstance(encoded, str) or len(encoded) > PRE_IMAGE_BYTES_MAX * 4 // 3:
        raise PackageLimit(f"{where}pre_image")
    return [base64_bytes(encoded)]


def known(value: Mapping[str, Any], names: Sequence[str], where: str) -> list[str]:
    """Members are those documented; names that begin with x_ are ignored and told; any other is a fault."""
    strange = [n for n in value if n not in names]
    for name in strange:
        if not name.startswith("x_"):
            raise PackageError(f"{where}{name[:64]} is no member of the package")
    return ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in where + n[:64]) for n in strange]


def obj(value: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    member = value.get(name)
    if not isinstance(member, dict):
        raise PackageError(f"{where}{name} is not an object")
    return member


def text(value: Mapping[str, Any], name: str, where: str = "") -> str:
    member = value.get(name)
    if not isinstance(member, str) or not member or len(member) > TEXT_MAX:
        raise PackageError(f"{where}{name} is missing, not a text, or too long")
    return member


def integer(value: Mapping[str, Any], name: str, where: str = "") -> int:
    member = value.get(name)
    number = decimal(member) if isinstance(member, str) else member
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 64:
        raise PackageError(f"{where}{name} is not an integer")
    return number


def hashes(body: Mapping[str, Any], name: str) -> tuple[bytes, ...] | None:
    """A list of hashes in block order, as plain hex."""
    items = body.get(name)
    if items is None:
        return None
    if not isinstance(items, list) or not items:
        raise PackageError(f"{name} is not a list of hashes")
    if len(items) > merkle.LEAVES_MAX:
        raise PackageLimit(f"{len(items)} {name}")
    return tuple(hex_bytes(i.removeprefix("0x") if isinstance(i, str) else "?", length=32) for i in items)
