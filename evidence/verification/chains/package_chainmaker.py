"""The members of a ChainMaker proof package -> what the ChainMaker reader takes (spec consortium-chains §9.2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import merkle
from ..codecs import protobuf
from ..codecs.protobuf import Message, MessageType, ProtobufError
from ..codecs.protobuf_json import to_wire
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
from .package_envelope import (
    Package,
    PackageError,
    PackageLimit,
    base64_octets,
    hashes,
    integer,
    known,
    obj,
)

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
        except (Unreadable, PackageError) as fault:
            findings.append(package.unread_because(fault.reason, str(fault)))
        else:
            if not supplied.blocks and not supplied.transactions:
                findings.append(package.unread_because(Reason.PROOF_NOT_SUPPLIED, "transaction, header, block"))
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
        votes = finality.get("voteset")
        extra = {TBFT_KEY: base64_octets(votes, "finality.voteset")} if votes is not None else {}
        blocks.append(Block(name, header, tx_hashes=hashes(inclusion, "tx_hashes", "inclusion."), extra=extra))
    whole = _message(body, "block", messages.BLOCK_INFO)
    links = tuple(_links(package))
    if header is None and whole is None:
        # Headers behind a block that is not here: none of them is the transaction's own.
        links = ()
    for message in [*([whole] if whole else []), *_config_blocks(body), *links]:
        block = Block(name, message) if message.type is messages.HEADER else chainmaker.block_of(name, message)
        if block is None:
            raise PackageError("block: no header")
        blocks.append(block)
    transactions = tuple(_transactions(package, header))
    return Supplied(
        blocks=tuple(_once(blocks)),
        transactions=transactions,
        paths=tuple(_paths(package, transactions)),
        rw_sets=tuple(_rw_sets(body)),
        certificates=tuple(_certificates(body)),
        genesis=((package.chain_id, package.genesis_hash),),
    )


def _transactions(package: Package, header: Message | None) -> Iterator[Transaction]:
    part = _part(package.body, "transaction", _TRANSACTION)
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
    index = integer(part, "tx_index", "transaction.")
    if found.index is not None and found.index != index:
        raise PackageError(f"transaction.tx_index is {index}, the node's own {found.index}")
    height = header.number("block_height") if header and found.height is None else found.height
    yield replace(found, index=index, height=height)


def _paths(package: Package, about: Sequence[Transaction]) -> Iterator[Path]:
    items = _part(package.body, "inclusion", ("merkle_path", "tx_hashes")).get("merkle_path")
    if items is None:
        return
    found = _octets_list(items, "inclusion.merkle_path", merkle.DEPTH_MAX, length=messages.HASH_BYTES)
    yield Path(package.name, found, about[0] if about else None)


def _rw_sets(body: Mapping[str, Any]) -> Iterator[Message]:
    if body.get("rwset") is not None:
        yield _parsed(base64_octets(body["rwset"], "rwset"), messages.RW_SET, "rwset")


def _certificates(body: Mapping[str, Any]) -> Iterator[bytes]:
    """DER certificates: data that complete a path, never roots."""
    sender = _part(body, "transaction", _TRANSACTION).get("sender_cert")
    if sender is not None:
        yield base64_octets(sender, "transaction.sender_cert")
    items = _part(body, "finality", ("voteset", "certs")).get("certs", [])
    yield from _octets_list(items, "finality.certs", CERTIFICATES_MAX)


def _config_blocks(body: Mapping[str, Any]) -> Iterator[Message]:
    items = _octets_list(body.get("config_blocks", []), "config_blocks", CONFIG_BLOCKS_MAX)
    yield from (_parsed(raw, messages.BLOCK, f"config_blocks[{i}]") for i, raw in enumerate(items))


def _links(package: Package) -> Iterator[Message]:
    """Headers, as the node's JSON or as base64 of their bytes."""
    for i, link in enumerate(package.links):
        path = f"links[{i}]"
        raw = _encoded(link, messages.HEADER, path) if isinstance(link, dict) else base64_octets(link, path)
        yield _parsed(raw, messages.HEADER, path)


def _message(body: Mapping[str, Any], name: str, of: MessageType) -> Message | None:
    """The message of a part, from its `pb` or its `json`; where both are given they must be the same bytes."""
    part = _part(body, name, _TRANSACTION if name == "transaction" else ("pb", "json"))
    found = []
    if part.get("pb") is not None:
        kind = messages.TRANSACTION if of is messages.TRANSACTION_INFO else of
        found.append(_parsed(base64_octets(part["pb"], f"{name}.pb"), kind, f"{name}.pb"))
    if part.get("json") is not None:
        path = f"{name}.json"
        found.append(_parsed(_encoded(part["json"], of, path), of, path))
    if len(found) == 2:
        inner = found[1].message("transaction") if of is messages.TRANSACTION_INFO else found[1]
        if inner is None or inner.raw != found[0].raw:
            raise PackageError(f"{name}.pb and {name}.json differ")
    # What a TransactionInfo says of the place is held against the header.
    return found[-1] if found else None


_TRANSACTION = ("pb", "json", "tx_index", "sender_cert")


def _part(body: Mapping[str, Any], name: str, names: Sequence[str]) -> Mapping[str, Any]:
    if body.get(name) is None:
        return {}
    part = obj(body, name)
    known(part, names, name + ".")
    return part


def _octets_list(items: object, path: str, most: int, *, length: int | None = None) -> tuple[bytes, ...]:
    if not isinstance(items, list):
        raise PackageError(f"{path} is not a list")
    if len(items) > most:
        raise PackageLimit(f"{path}: {len(items)} items")
    return tuple(base64_octets(item, f"{path}[{i}]", length=length) for i, item in enumerate(items))


def _parsed(raw: bytes, of: MessageType, path: str) -> Message:
    try:
        return protobuf.parse(raw, of)
    except ProtobufError as fault:
        told = messages.unreadable(fault)
        raise Unreadable(told.reason, f"{path}: {told}") from fault


def _encoded(node: Any, of: MessageType, path: str) -> bytes:
    try:
        return to_wire(node, of)
    except ProtobufError as fault:
        told = messages.unreadable(fault)
        raise Unreadable(told.reason, f"{path}: {told}") from fault


def _joined(a: Supplied, b: Supplied) -> Supplied:
    """What two packages of one chain say together."""
    return Supplied(
        blocks=tuple(_once([*a.blocks, *b.blocks])),
        transactions=a.transactions + b.transactions,
        paths=a.paths + b.paths,
        rw_sets=a.rw_sets + b.rw_sets,
        certificates=a.certificates + b.certificates,
        genesis=a.genesis + b.genesis,
    )


def _once(blocks: Iterable[Block]) -> list[Block]:
    """Several accounts of one header become one block, with whatever any of them says beside it, as long as they agree."""
    found: list[Block] = []
    places: dict[bytes, list[int]] = {}
    for block in blocks:
        alike = places.setdefault(block.header.raw, [])
        for place in alike:
            if (one := _merged(found[place], block)) is not None:
                found[place] = one
                break
        else:
            alike.append(len(found))
            found.append(block)
    return found


def _merged(a: Block, b: Block) -> Block | None:
    """One block from two accounts of one header, or None where they contradict each other."""
    full = [x for x in (a, b) if x.txs is not None]
    voted = [x for x in (a, b) if x.extra]
    listed = [x.tx_hashes for x in (a, b) if x.tx_hashes is not None]
    if len(full) == 2 and not chainmaker.same_block(replace(a, extra={}), replace(b, extra={})):
        return None
    if (len(voted) == 2 and dict(a.extra) != dict(b.extra)) or len(set(listed)) == 2:
        return None
    body, votes = (full or [a])[0], (voted or [a])[0]
    return replace(body, extra=votes.extra, tx_hashes=listed[0] if listed else None)
