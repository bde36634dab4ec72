"""The members of a ChainMaker proof package -> what the ChainMaker reader takes (spec consortium-chains §9.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import merkle
from ..codecs import protobuf
from ..codecs.protobuf import Message, MessageType, ProtobufError
from ..codecs.protobuf_json import to_wire
from ..codecs.text import CodecError, base64_bytes
from ..reasons import Reason
from ..registry import Context
from ..verdict import Examination, Finding, failed
from . import chainmaker, ladder
from . import chainmaker_members as members
from . import chainmaker_messages as messages
from .chainmaker_hashing import Block
from .chainmaker_members import HASHES, Certificates, Suite
from .chainmaker_messages import Unreadable
from .chainmaker_selection import Supplied
from .chainmaker_transaction import Path, Transaction
from .chainmaker_votes import TBFT_KEY
from .package_envelope import Package, PackageError, PackageLimit, hashes, integer, known, obj

CERTIFICATES_MAX = 1024
"""Certificates of sender and voters (spec §2 rule 6, validators)."""
CONFIG_BLOCKS_MAX = 64


def examine(packages: Sequence[Package], context: Context) -> Examination:
    """All packages of the exhibit. A package whose members cannot be read becomes a finding of step 0.

    Packages that name the same chain and the same first block are examined together: one may bring the update of a record or
    the links of another. Those that name another first block are of another chain, whatever its name, and lend it nothing.
    """
    findings: list[Finding] = []
    chains: dict[tuple[str, bytes], Supplied] = {}
    for package in packages:
        try:
            supplied = _supplied(package)
            findings += _statements(package, supplied)
        except Unreadable as fault:
            findings.append(package.unread_because(fault.reason, str(fault)))
        except PackageLimit as fault:
            findings.append(package.unread_because(Reason.RESOURCE_LIMIT, str(fault)))
        except ProtobufError as fault:
            told = messages.unreadable(fault)
            findings.append(package.unread_because(told.reason, str(told)))
        except (PackageError, CodecError) as fault:
            findings.append(package.unread_because(Reason.FORMAT_FAILURE, str(fault)))
        else:
            chain = (package.chain_id, package.genesis_hash)
            chains[chain] = _joined(chains.get(chain, Supplied()), supplied)
    parts = [chainmaker.examine_supplied(whole, context) for whole in chains.values()]
    return Examination(
        findings=(*findings, *(f for part in parts for f in part.findings)),
        proofs=tuple(proof for part in parts for proof in part.proofs),
    )


def _statements(package: Package, supplied: Supplied) -> Iterator[Finding]:
    """What the package says of the chain, against the bytes: names in header and payload, the hash under which the header has
    its own id, the kinds of the keys that signed. (Its first block is held against the profile's in step 0.)"""
    blocks = supplied.blocks
    stated = [("chain_id", b.chain_id, package.chain_id) for b in blocks]
    payloads = [t.body.message("payload") for t in supplied.transactions]
    stated += [("chain_id", p.text("chain_id"), package.chain_id) for p in payloads if p]
    stated += [("hash", b.algorithm, package.hash) for b in blocks if b.algorithm is not None]
    kinds = _key_kinds(package, supplied)
    if kinds and package.signature not in kinds:
        stated.append(("signature", ", ".join(sorted(kinds)), package.signature))
    for name, found, said in dict.fromkeys(stated):
        if found != said:
            yield failed(
                ladder.LEDGER_KIND,
                Reason.CERT_FIELDS_CONFLICT,
                package.name,
                expected=f"{name} {found[:64]}",
                actual=f"{name} {said[:64]}",
            )


def _key_kinds(package: Package, supplied: Supplied) -> set[str]:
    """Names of the signature algorithms of proposers and senders, as far as their keys are there."""
    known = Certificates(supplied.certificates)
    suite = Suite(package.hash if package.hash in HASHES else HASHES[0])
    signers = [b.header.message("proposer") for b in supplied.blocks]
    signers += [s.message("signer") for t in supplied.transactions if (s := t.body.message("sender"))]
    read = [members.read(m, known, suite) for m in signers if m is not None]
    return {members.kind_of(m.key) for m in read if m.key is not None}


def _supplied(package: Package) -> Supplied:
    body, name = package.body, package.name
    blocks: list[Block] = []
    header = _message(body, "header", messages.HEADER)
    if header is not None:
        inclusion = _part(body, "inclusion", ("merkle_path", "tx_hashes"))
        finality = _part(body, "finality", ("voteset", "certs"))
        extra = {TBFT_KEY: _octets(finality, "voteset")} if finality.get("voteset") is not None else {}
        blocks.append(Block(name, header, tx_hashes=hashes(inclusion, "tx_hashes"), extra=extra))
    whole = _message(body, "block", messages.BLOCK_INFO)
    for message in [*([whole] if whole else []), *_config_blocks(body), *_links(package)]:
        block = Block(name, message) if message.type is messages.HEADER else chainmaker.block_of(name, message)
        if block is None:
            raise PackageError("a block without a header")
        if all(not chainmaker.same_block(block, b) for b in blocks):
            blocks.append(block)
    transactions = tuple(_transactions(package, header))
    return Supplied(
        blocks=tuple(blocks),
        transactions=transactions,
        paths=tuple(_paths(package, transactions)),
        rw_sets=tuple(_rw_sets(body)),
        certificates=tuple(_certificates(body)),
        genesis=((package.chain_id, package.genesis_hash),),
    )


def _transactions(package: Package, header: Message | None) -> Iterator[Transaction]:
    part = _part(package.body, "transaction", ("pb", "json", "tx_index", "sender_cert"))
    if not part:
        return
    node = part.get("json")
    of = messages.TRANSACTION_INFO if isinstance(node, dict) and "transaction" in node else messages.TRANSACTION
    message = _message(package.body, "transaction", of)
    if message is None:
        return
    found = chainmaker.transaction_of(package.name, message)
    if found is None:
        raise PackageError("transaction.json without a transaction")
    yield replace(
        found,
        index=integer(part, "tx_index", "transaction."),
        height=header.number("block_height") if header else found.height,
        block_hash=(header.data("block_hash") or None) if header else found.block_hash,
    )


def _paths(package: Package, about: Sequence[Transaction]) -> Iterator[Path]:
    items = _part(package.body, "inclusion", ("merkle_path", "tx_hashes")).get("merkle_path")
    if items is None:
        return
    if not isinstance(items, list):
        raise PackageError("inclusion.merkle_path is not a list")
    if len(items) > merkle.DEPTH_MAX:
        raise PackageLimit(f"a path of {len(items)} items")
    siblings = tuple(_base64(i, length=messages.HASH_BYTES) for i in items)
    yield Path(package.name, siblings, about[0] if about else None)


def _rw_sets(body: Mapping[str, Any]) -> Iterator[Message]:
    if body.get("rwset") is not None:
        yield protobuf.parse(_base64(body["rwset"]), messages.RW_SET)


def _certificates(body: Mapping[str, Any]) -> Iterator[bytes]:
    """DER certificates: data that complete a path, never roots."""
    sender = _part(body, "transaction", ("pb", "json", "tx_index", "sender_cert")).get("sender_cert")
    if sender is not None:
        yield _base64(sender)
    items = _part(body, "finality", ("voteset", "certs")).get("certs", [])
    if not isinstance(items, list):
        raise PackageError("finality.certs is not a list")
    if len(items) > CERTIFICATES_MAX:
        raise PackageLimit(f"{len(items)} certificates")
    yield from (_base64(i) for i in items)


def _config_blocks(body: Mapping[str, Any]) -> Iterator[Message]:
    items = body.get("config_blocks", [])
    if not isinstance(items, list):
        raise PackageError("config_blocks is not a list")
    if len(items) > CONFIG_BLOCKS_MAX:
        raise PackageLimit(f"{len(items)} configuration blocks")
    yield from (protobuf.parse(_base64(i), messages.BLOCK) for i in items)


def _links(package: Package) -> Iterator[Message]:
    """Headers, as the node's JSON or as base64 of their bytes."""
    for link in package.links:
        raw = to_wire(link, messages.HEADER) if isinstance(link, dict) else _base64(link)
        yield protobuf.parse(raw, messages.HEADER)


def _message(body: Mapping[str, Any], name: str, of: MessageType) -> Message | None:
    """The message of a part, from its `pb` or its `json`; where both are given they must be the same bytes."""
    names = ("pb", "json", "tx_index", "sender_cert") if name == "transaction" else ("pb", "json")
    part = _part(body, name, names)
    found = [protobuf.parse(to_wire(part["json"], of), of)] if part.get("json") is not None else []
    if part.get("pb") is not None:
        kind = messages.TRANSACTION if of is messages.TRANSACTION_INFO else of
        found.insert(0, protobuf.parse(_octets(part, "pb"), kind))
    if len(found) == 2 and found[0].type is found[1].type and found[0].raw != found[1].raw:
        raise PackageError(f"{name}.pb and {name}.json differ")
    return found[0] if found else None


def _part(body: Mapping[str, Any], name: str, names: Sequence[str]) -> Mapping[str, Any]:
    if body.get(name) is None:
        return {}
    part = obj(body, name)
    known(part, names, name + ".")
    return part


def _octets(part: Mapping[str, Any], name: str) -> bytes:
    return _base64(part.get(name))


def _base64(value: object, *, length: int | None = None) -> bytes:
    if not isinstance(value, str):
        raise PackageError("base64 is due where another value stands")
    return base64_bytes(value, length=length)


def _joined(a: Supplied, b: Supplied) -> Supplied:
    """Two packages about one block bring its header twice: it is taken once, with whatever either says of its leaves."""
    blocks = list(a.blocks)
    for block in b.blocks:
        same = next((i for i, known_ in enumerate(blocks) if chainmaker.same_block(known_, block)), None)
        if same is None:
            blocks.append(block)
        elif blocks[same].tx_hashes is None:
            blocks[same] = block
    return Supplied(
        blocks=tuple(blocks),
        transactions=a.transactions + b.transactions,
        paths=a.paths + b.paths,
        rw_sets=a.rw_sets + b.rw_sets,
        certificates=a.certificates + b.certificates,
        genesis=a.genesis + b.genesis,
    )
