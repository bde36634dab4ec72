"""The members of a Fabric proof package -> what the Fabric reader takes (spec consortium-chains §9.5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..codecs.text import CodecError, base64_bytes, hex_bytes
from ..reasons import Reason
from ..registry import Context
from ..verdict import Examination, Finding
from . import fabric, fabric_block
from .fabric_block import Block, BlockError
from .fabric_rungs import Stated
from .package_envelope import Package, PackageError, PackageLimit, known, text

PEERS_MAX = 1024
"""Peers whose commit hash is stated; channels have some dozens."""
HASH_BYTES = 32


def examine(packages: Sequence[Package], context: Context) -> Examination:
    """Each package by itself: what one of them states is not data of another."""
    findings: list[Finding] = []
    parts: list[Examination] = []
    for package in packages:
        try:
            supplied = fabric.Supplied(tuple(_blocks(package)), _stated(package))
        except BlockError as fault:
            findings.append(fabric.unread(fault, package.name))
            continue
        except PackageLimit as fault:
            findings.append(package.unread_because(Reason.RESOURCE_LIMIT, str(fault)))
            continue
        except (PackageError, CodecError) as fault:
            findings.append(package.unread_because(Reason.FORMAT_FAILURE, str(fault)))
            continue
        parts.append(fabric.examine_supplied(supplied, context))
    return Examination(
        findings=(*findings, *(f for p in parts for f in p.findings)),
        proofs=tuple(proof for p in parts for proof in p.proofs),
        not_proven=tuple(dict.fromkeys(n for p in parts for n in p.not_proven)),
    )


def _blocks(package: Package) -> Iterator[Block]:
    """The block, the configuration block, and headers as links."""
    if package.body.get("block") is None:
        raise PackageError("block is missing")
    yield fabric_block.from_protobuf(_base64(package.body, "block"), package.name)
    if package.body.get("config_block") is not None:
        yield fabric_block.from_protobuf(_base64(package.body, "config_block"), package.name)
    for number, link in enumerate(package.links):
        if not isinstance(link, str):
            raise PackageError(f"links[{number}] is not base64")
        yield fabric_block.from_header(base64_bytes(link), package.name)


def _stated(package: Package) -> Stated:
    peers = package.body.get("peers", [])
    if not isinstance(peers, list):
        raise PackageError("peers is not a list")
    if len(peers) > PEERS_MAX:
        raise PackageLimit(f"{len(peers)} peers")
    return Stated(
        chain_id=package.chain_id,
        genesis_hash=package.genesis_hash,
        tx_id=hex_bytes(text(package.body, "tx_id"), length=HASH_BYTES).hex(),
        hash=package.hash,
        signature=package.signature,
        pre_images=package.pre_images,
        peers=tuple(_peer(p, f"peers[{i}].") for i, p in enumerate(peers)),
    )


def _peer(peer: Any, where: str) -> tuple[str, bytes]:
    if not isinstance(peer, dict):
        raise PackageError(f"{where[:-1]} is not an object")
    known(peer, ("mspid", "commit_hash"), where)
    return text(peer, "mspid", where), hex_bytes(text(peer, "commit_hash", where), length=HASH_BYTES)


def _base64(body: Mapping[str, Any], name: str) -> bytes:
    value = body[name]
    if not isinstance(value, str):
        raise PackageError(f"{name} is not base64")
    return base64_bytes(value)
