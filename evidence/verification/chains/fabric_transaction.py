"""Hyperledger Fabric: one endorsed transaction opened level by level, and what it records (spec §7 steps 3 and 6).

A transaction calls one chaincode with arguments; endorsing peers ran it and signed what it would write. All of it is in the
envelope: header, proposal, response, read-write set, event. Places where a digest may stand:

    arguments   contract = chaincode, method = its first argument, key = "0", "1", … of those that follow
    writes      contract = namespace, method = "write", key = "key" or "value"
    event       contract = chaincode, method = "event:" and its name, key = "payload"

An argument, value or payload that is a JSON object is opened one level: key = "0.hash", "value.hash", "payload.hash".
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..codecs import protobuf, strict_json
from ..codecs.protobuf import Message, ProtobufError
from . import fabric_messages as messages
from .fabric_block import Opened
from .location import Place

PLACES_MAX = 10_000
"""Values looked at in one transaction; batches of records have some thousands."""
JSON_BYTES_MAX = 1 << 20
"""A record written as JSON holds names and digests, not the file."""
SUCCESS = range(200, 400)
"""`Response.status` with which peers endorse (`ERRORTHRESHOLD`)."""


class TransactionError(ValueError):
    """The envelope is not one endorsed transaction that can be read in one way."""


@dataclass(frozen=True, slots=True)
class Event:
    chaincode: str
    tx_id: str
    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Write:
    namespace: str
    key: str
    value: bytes
    deleted: bool


@dataclass(frozen=True, slots=True)
class Endorsement:
    """`endorser`: SerializedIdentity; `message`: SHA-256 of what it signed."""

    endorser: bytes
    signature: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """`proposal_hash`: as endorsed; `recomputed_hash`: of what the envelope holds."""

    tx_id: str
    recomputed_id: str
    creator: bytes
    proposal_hash: bytes
    recomputed_hash: bytes
    chaincode: str
    arguments: tuple[bytes, ...]
    writes: tuple[Write, ...]
    event: Event | None
    status: int | None
    response: bytes
    endorsements: tuple[Endorsement, ...]

    @property
    def method(self) -> str:
        return _text(self.arguments[0]) if self.arguments else ""


def read(opened: Opened) -> Transaction:
    """An envelope -> the one transaction in it. Raises TransactionError."""
    try:
        return _read(opened)
    except ProtobufError as fault:
        raise TransactionError(str(fault)) from fault


def _read(opened: Opened) -> Transaction:
    if opened.kind != messages.ENDORSER_TRANSACTION:
        raise TransactionError(f"envelope of type {opened.kind}")
    actions = protobuf.parse(opened.data, messages.TRANSACTION).messages("actions")
    if len(actions) != 1:
        raise TransactionError(f"{len(actions)} actions")
    header = opened.channel_header
    creator, nonce = opened.signature_header.data("creator"), opened.signature_header.data("nonce")
    if not creator or not nonce:
        raise TransactionError("no creator or no nonce")
    payload = protobuf.parse(actions[0].data("payload"), messages.CHAINCODE_ACTION_PAYLOAD)
    proposal = payload.data("chaincode_proposal_payload")
    endorsed = payload.message("action")
    if endorsed is None:
        raise TransactionError("no endorsed action")
    response = endorsed.data("proposal_response_payload")
    outer = protobuf.parse(response, messages.PROPOSAL_RESPONSE_PAYLOAD)
    action = protobuf.parse(outer.data("extension"), messages.CHAINCODE_ACTION)
    invoked = _spec(proposal)
    # 1. Header, invocation and response name one chaincode; peers run the header's and refuse a response of another.
    extension = protobuf.parse(header.data("extension"), messages.CHAINCODE_HEADER_EXTENSION)
    names = {_name(m) for m in (extension, action, invoked)}
    if len(names) != 1 or "" in names:
        raise TransactionError("chaincodes " + ", ".join(sorted(names))[:64])
    chaincode = names.pop()
    # 2. The response.
    told = action.message("response")
    given = invoked.message("input")
    # A response may be long and its endorsers many: it is hashed once.
    begun = hashlib.sha256(response)
    return Transaction(
        tx_id=header.text("tx_id"),
        recomputed_id=hashlib.sha256(nonce + creator).hexdigest(),
        creator=creator,
        proposal_hash=outer.data("proposal_hash"),
        recomputed_hash=_proposal_hash(opened, proposal),
        chaincode=chaincode,
        arguments=given.parts("args") if given else (),
        writes=tuple(_writes(action.data("results"))),
        event=_event(action.data("events")),
        status=told.number("status") if told else None,
        response=told.data("payload") if told else b"",
        endorsements=tuple(
            Endorsement(e.data("endorser"), e.data("signature"), _after(begun, e.data("endorser")))
            for e in endorsed.messages("endorsements")
        ),
    )


def _after(begun: "hashlib._Hash", more: bytes) -> bytes:
    whole = begun.copy()
    whole.update(more)
    return whole.digest()


def _proposal_hash(opened: Opened, proposal: bytes) -> bytes:
    """SHA-256(channel header ‖ signature header ‖ proposal payload), each as it came (`GetProposalHash2`)."""
    header = protobuf.parse(opened.payload, messages.PAYLOAD).message("header")
    if header is None:
        raise TransactionError("no header")
    return hashlib.sha256(header.data("channel_header") + header.data("signature_header") + proposal).digest()


def _spec(proposal: bytes) -> Message:
    payload = protobuf.parse(proposal, messages.CHAINCODE_PROPOSAL_PAYLOAD)
    spec = protobuf.parse(payload.data("input"), messages.CHAINCODE_INVOCATION_SPEC).message("chaincode_spec")
    if spec is None:
        raise TransactionError("no invocation")
    return spec


def _name(message: Message) -> str:
    named = message.message("chaincode_id")
    return named.text("name") if named else ""


def _writes(results: bytes) -> Iterator[Write]:
    for space in protobuf.parse(results, messages.TX_RW_SET).messages("ns_rwset"):
        for write in protobuf.parse(space.data("rwset"), messages.KV_RW_SET).messages("writes"):
            yield Write(space.text("namespace"), write.text("key"), write.data("value"), bool(write.number("is_delete")))


def _event(raw: bytes) -> Event | None:
    if not raw:
        return None
    found: Message = protobuf.parse(raw, messages.CHAINCODE_EVENT)
    return Event(found.text("chaincode_id"), found.text("tx_id"), found.text("event_name"), found.data("payload"))


# ── places of a digest ────────────────────────────────────────────────────────────────────────────────────────────────


def places(transaction: Transaction) -> tuple[Place, ...]:
    """Every value in which a digest may stand, arguments first. What was deleted is no record."""
    found: list[Place] = []
    for place in _places(transaction):
        found.append(place)
        if len(found) >= PLACES_MAX:
            break
    return tuple(found)


def _places(transaction: Transaction) -> Iterator[Place]:
    chaincode, method = transaction.chaincode, transaction.method
    for number, argument in enumerate(transaction.arguments[1:]):
        yield from _opened_json(Place(chaincode, method, str(number), argument))
    for write in transaction.writes:
        if not write.deleted:
            yield Place(write.namespace, "write", "key", write.key.encode())
            yield from _opened_json(Place(write.namespace, "write", "value", write.value))
    event = transaction.event
    if event is not None and (event.chaincode, event.tx_id) == (chaincode, transaction.tx_id):
        yield from _opened_json(Place(chaincode, f"event:{event.name}", "payload", event.payload))
    if transaction.response:
        yield Place(chaincode, "response", "payload", transaction.response)


def _opened_json(place: Place) -> Iterator[Place]:
    yield place
    if place.value[:1] != b"{" or len(place.value) > JSON_BYTES_MAX:
        return
    try:
        members = strict_json.loads(place.value)
    except strict_json.JsonError:
        return
    for name, value in members.items() if isinstance(members, dict) else ():
        if isinstance(value, str):
            yield Place(place.contract, place.method, f"{place.key}.{name}", value.encode())


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""

