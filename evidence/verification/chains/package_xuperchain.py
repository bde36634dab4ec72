"""The members of a XuperChain proof package -> what the XuperChain reader takes (spec consortium-chains §9.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from .. import merkle
from ..codecs.text import CodecError, hex_bytes
from ..registry import Context
from ..verdict import Examination, Finding
from . import ladder, xuperchain, xuperchain_messages, xuperchain_records
from .package_envelope import Package, PackageError, PackageLimit, base64_octets, integer, text
from .xuperchain_json import STYLES
from .xuperchain_messages import HASH_BYTES, Block, Transaction, Unreadable
from .xuperchain_records import Path
from .xuperchain_rungs import Claimed


def examine(packages: Sequence[Package], context: Context) -> Examination:
    """Each package by itself: what one of them states is not data of another."""
    findings: list[Finding] = []
    proofs: list[ladder.Proof] = []
    not_proven: list[str] = []
    for package in packages:
        try:
            supplied = _supplied(package)
        except (Unreadable, PackageError) as fault:
            findings.append(package.unread_because(fault.reason, str(fault)))
            continue
        claimed = Claimed(
            chain_id=package.chain_id,
            genesis_hash=package.genesis_hash,
            hash=package.hash,
            signature=package.signature,
            pre_images=package.pre_images,
        )
        found = xuperchain.examine_supplied(supplied, context, claimed)
        findings += found.findings
        proofs += found.proofs
        not_proven += found.not_proven
    return Examination(findings=tuple(findings), proofs=tuple(proofs), not_proven=tuple(dict.fromkeys(not_proven)))


def _supplied(package: Package) -> xuperchain.Supplied:
    body, name = package.body, package.name
    transaction = _transaction(body, name)
    if "block" not in body:
        raise PackageError("block is missing")
    block = xuperchain_messages.block(base64_octets(body["block"], "block"), source=name)
    following = [] if "next_block" not in body else [base64_octets(body["next_block"], "next_block")]
    chained = [xuperchain_messages.block(raw, source=name) for raw in following]
    chained += [_link(link, name) for link in package.links]
    return xuperchain.Supplied(
        blocks=(block, *chained),
        transactions=(transaction,),
        paths=tuple(_paths(body, name)),
        chained=tuple(chained),
    )


def _transaction(body: Mapping[str, Any], name: str) -> Transaction:
    """The bytes where they are given; the node's JSON must then say the same, and stands in for them where they are not."""
    printed = _printed(body, name)
    if "transaction" not in body:
        if printed is None:
            raise PackageError("transaction and transaction_json are missing")
        return printed
    whole = xuperchain_messages.transaction(base64_octets(body["transaction"], "transaction"), source=name)
    if printed is not None and (printed.txid != whole.txid or not (printed.lossy or printed.body.raw == whole.body.raw)):
        raise PackageError("transaction and transaction_json differ")
    return whole


def _printed(body: Mapping[str, Any], name: str) -> Transaction | None:
    if "transaction_json" not in body:
        if "json_style" in body:
            raise PackageError("json_style without transaction_json")
        return None
    style = text(body, "json_style")
    if style not in STYLES:
        raise PackageError("json_style is neither cli nor sdk")
    found = xuperchain_records.of_json(body["transaction_json"], source=name, style=style)
    if not isinstance(found, Transaction):
        raise PackageError("transaction_json is no transaction")
    return found


def _paths(body: Mapping[str, Any], name: str) -> list[Path]:
    items = body.get("merkle_path")
    if items is None:
        if "tx_index" in body:
            integer(body, "tx_index")
        return []
    if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
        raise PackageError("merkle_path is not a list of hashes")
    if len(items) > merkle.DEPTH_MAX:
        raise PackageLimit(f"a path of {len(items)} items")
    try:
        siblings = tuple(hex_bytes(i, length=HASH_BYTES) for i in items)
    except CodecError as fault:
        raise PackageError(f"merkle_path: {fault}") from fault
    return [Path(name, siblings, integer(body, "tx_index"))]


def _link(link: Any, name: str) -> Block:
    found = (
        xuperchain_records.of_json(link, source=name)
        if isinstance(link, dict)
        else xuperchain_messages.block(base64_octets(link, "links"), source=name)
    )
    if not isinstance(found, Block):
        raise PackageError("a link that is no block")
    return found

