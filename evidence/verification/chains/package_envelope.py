"""The envelope of a proof package: its common members, read strictly (spec consortium-chains §9.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import digests, merkle
from ..certificates.claim import ClaimedFile
from ..codecs import strict_json
from ..codecs.inflate import Budget
from ..codecs.strict_json import JsonError
from ..codecs.text import CodecError, base64_bytes, decimal, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Bearing, Finding, failed, indeterminate
from . import ladder, package_archive
from .package_archive import Archive
from .package_fault import PackageError, PackageLimit, PackageUnsupported

__all__ = [
    "Package",
    "PackageError",
    "PackageLimit",
    "base64_octets",
    "hashes",
    "integer",
    "known",
    "obj",
    "read",
    "text",
    "unreadable",
]

FORMAT = "mingjian.chain-proof"
VERSION = 1
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


@dataclass(frozen=True, slots=True)
class Package:
    """One package as read.

    body     the members of the family, as they stand; references into an archive replaced by what they stand for
    unread   members named x_…, which are ignored
    signed   the bytes under the seal, and the seal itself; None without one
    """

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
    signed: tuple[bytes, bytes] | None = None

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


_PARTS = ("transaction", "inclusion", "header", "finality", "block")
"""Members of a ChainMaker package that hold members of their own; every other member is a value or a list of values."""


def unreadable(reason: Reason, name: str, actual: str) -> Finding:
    """Step 0 of a package that cannot be used: it must reach the verdict."""
    maker = failed if reason in (Reason.FORMAT_FAILURE, Reason.HASH_FAILURE) else indeterminate
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in actual[:TEXT_MAX])
    return maker(ladder.LEDGER_KIND, reason, name, actual=shown, bearing=Bearing.DECISIVE)


def read(source: Source, budget: Budget) -> Package:
    """A package as JSON or as an archive. Raises PackageError and nothing else."""
    archive = package_archive.open_archive(source, budget) if package_archive.is_archive(source) else None
    data = archive.package if archive else source.read(package_archive.PACKAGE_BYTES_MAX)
    if data is None:
        raise PackageLimit(f"{source.size} bytes")
    try:
        value = strict_json.loads(data)
    except JsonError as fault:
        raise PackageError(str(fault)) from fault
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise PackageError(f"format is not {FORMAT}")
    version = integer(value, "version")
    if version != VERSION:
        raise PackageUnsupported(f"version {version}")
    package = _package(source.name, value, archive)
    if archive is None:
        return package
    archive.check_all_read()
    return replace(package, signed=None if archive.seal is None else (data, archive.seal))


def _package(name: str, value: dict[str, Any], archive: Archive | None) -> Package:
    family = text(value, "family")
    if family not in FAMILIES:
        raise PackageError("family is none of the five")
    unread = known(value, (*_COMMON, *_BODY[family]), "")
    chain = obj(value, "chain")
    unread += known(chain, ("chain_id", "group_id", "genesis_hash", "engine", "hash", "signature"), "chain.")
    hashed, signed = text(chain, "hash", "chain."), text(chain, "signature", "chain.")
    for member, said, listed in (("hash", hashed, tuple(HASHES)), ("signature", signed, SIGNATURES)):
        if said not in listed:
            raise PackageError(f"chain.{member} is none of those listed")
    group = _group(chain)
    if family in ("fisco2", "fisco3") and group is None:
        raise PackageError("chain.group_id is missing")
    evidence, pre_images = _evidence(value, archive, unread)
    links = value.get("links", [])
    if not isinstance(links, list):
        raise PackageError("links is not a list")
    if len(links) > LINKS_MAX:
        raise PackageLimit(f"links: {len(links)} items")
    if value.get("producer") is not None:
        unread += _producer(obj(value, "producer"))
    return Package(
        name=name,
        family=family,
        chain_id=text(chain, "chain_id", "chain."),
        group_id=group,
        genesis_hash=octets(chain, "genesis_hash", "chain.", length=32),
        hash=HASHES[hashed],
        signature=signed,
        engine=text(chain, "engine", "chain."),
        evidence=evidence,
        pre_images=pre_images,
        links=tuple(resolved(link, f"links[{i}]", archive) for i, link in enumerate(links)),
        body={n: _member(value[n], n, family, archive) for n in _BODY[family] if value.get(n) is not None},
        unread=tuple(unread),
    )


def _group(chain: Mapping[str, Any]) -> str | None:
    """Chains number their groups or name them; platforms write either."""
    group = chain.get("group_id")
    if group is None:
        return None
    return str(integer(chain, "group_id", "chain.")) if type(group) is int else text(chain, "group_id", "chain.")


def _producer(value: Mapping[str, Any]) -> list[str]:
    for name in ("name", "at", "node", "software"):
        if value.get(name) is not None:
            text(value, name, "producer.")
    return known(value, ("name", "at", "node", "software"), "producer.")


def _member(value: Any, name: str, family: str, archive: Archive | None) -> Any:
    """A member of the family with its references replaced. A node's answer is not searched: what it holds is the node's."""
    found = resolved(value, name, archive)
    if isinstance(found, list):
        return [resolved(item, f"{name}[{i}]", archive) for i, item in enumerate(found)]
    if family != "chainmaker" or name not in _PARTS or not isinstance(found, dict):
        return found
    return {inner: _values(item, f"{name}.{inner}", archive) for inner, item in found.items()}


def _values(value: Any, path: str, archive: Archive | None) -> Any:
    if isinstance(value, list):
        return [resolved(item, f"{path}[{i}]", archive) for i, item in enumerate(value)]
    return resolved(value, path, archive)


def resolved(value: Any, path: str, archive: Archive | None) -> Any:
    """What a reference into the archive stands for; any other value as it is."""
    if not isinstance(value, dict) or "file" not in value or not set(value) <= {"file", "sha256"}:
        return value
    if archive is None:
        raise PackageError(f"{path}: a reference outside an archive")
    return archive.value(value, path)


def _evidence(
    value: Mapping[str, Any], archive: Archive | None, unread: list[str]
) -> tuple[tuple[ClaimedFile, ...], tuple[tuple[bytes, bytes], ...]]:
    items = value.get("evidence")
    if not isinstance(items, list) or not items:
        raise PackageError("evidence is not a list of at least one")
    if len(items) > EVIDENCE_MAX:
        raise PackageLimit(f"evidence: {len(items)} items")
    files: list[ClaimedFile] = []
    pre_images: list[tuple[bytes, bytes]] = []
    for number, item in enumerate(items):
        where = f"evidence[{number}]."
        if not isinstance(item, dict):
            raise PackageError(f"{where[:-1]} is not an object")
        unread += known(item, ("name", "size", "digest_alg", "digest", "location", "certificate_no"), where)
        if item.get("certificate_no") is not None:
            text(item, "certificate_no", where)
        algorithm = text(item, "digest_alg", where)
        if algorithm not in digests.STRONG:
            raise PackageError(f"{where}digest_alg is none of those listed")
        digest = octets(item, "digest", where, length=digests.LENGTH[algorithm])
        size = integer(item, "size", where) if item.get("size") is not None else None
        files.append(ClaimedFile(text(item, "name", where), size, algorithm, digest))
        if item.get("location") is not None:
            location = obj(item, "location", where)
            unread += known(location, _LOCATION, where + "location.")
            pre_images += [(digest, p) for p in _location(location, where + "location.", archive)]
    return tuple(files), tuple(pre_images)


_LOCATION = ("where", "contract", "method", "key", "encoding", "pre_image")


def _location(location: Mapping[str, Any], where: str, archive: Archive | None) -> list[bytes]:
    """The form is checked; the court's own map decides where the digest stands. -> the pre-image, if one is given."""
    for name, listed in (("where", WHERE), ("encoding", ENCODINGS)):
        if text(location, name, where) not in listed:
            raise PackageError(f"{where}{name} is none of those listed")
    for name in ("contract", "method", "key"):
        if location.get(name) is not None:
            text(location, name, where)
    if location.get("pre_image") is None:
        return []
    encoded = resolved(location["pre_image"], f"{where}pre_image", archive)
    if isinstance(encoded, str) and len(encoded) > PRE_IMAGE_BYTES_MAX * 4 // 3:
        raise PackageLimit(f"{where}pre_image: {len(encoded)} characters")
    return [base64_octets(encoded, f"{where}pre_image")]


def known(value: Mapping[str, Any], names: Sequence[str], where: str) -> list[str]:
    """Members are those documented; names that begin with x_ are ignored and told; any other is a fault."""
    strange = [n for n in value if n not in names]
    for name in strange:
        if not name.startswith("x_"):
            raise PackageError(f"{where}{name[:64]} is no member of the package")
    return ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in where + n[:64]) for n in strange]


def octets(value: Mapping[str, Any], name: str, where: str = "", *, length: int | None = None) -> bytes:
    """Plain hex, lower case."""
    try:
        return hex_bytes(text(value, name, where), length=length)
    except CodecError as fault:
        raise PackageError(f"{where}{name}: {fault}") from fault


def base64_octets(value: object, path: str, *, length: int | None = None) -> bytes:
    """Canonical base64 at `path`."""
    if not isinstance(value, str):
        raise PackageError(f"{path} is not base64 text")
    try:
        return base64_bytes(value, length=length)
    except CodecError as fault:
        raise PackageError(f"{path}: {fault}") from fault


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
    try:
        number = decimal(member) if isinstance(member, str) else member
    except CodecError as fault:
        raise PackageError(f"{where}{name}: {fault}") from fault
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 64:
        raise PackageError(f"{where}{name} is not an integer")
    return number


def hashes(body: Mapping[str, Any], name: str, where: str = "") -> tuple[bytes, ...] | None:
    """A list of hashes in block order, as plain hex."""
    items = body.get(name)
    if items is None:
        return None
    if not isinstance(items, list) or not items:
        raise PackageError(f"{where}{name} is not a list of hashes")
    if len(items) > merkle.LEAVES_MAX:
        raise PackageLimit(f"{where}{name}: {len(items)} items")
    return tuple(_hash(item, f"{where}{name}[{i}]") for i, item in enumerate(items))


def _hash(item: object, path: str) -> bytes:
    if not isinstance(item, str):
        raise PackageError(f"{path} is not a text")
    try:
        return hex_bytes(item.removeprefix("0x"), length=32)
    except CodecError as fault:
        raise PackageError(f"{path}: {fault}") from fault
