"""Evidence contracts of FISCO BCOS 2 and 3: what a call records, and by which event the contract says so (spec §6.1).

Two kinds are known by their methods; others are read by the signature that the court maps.

1. WeBank EvidenceController: `createSaveRequest` asks, `voteSaveRequest` votes, and only `EvidenceSaved` (threshold reached) says
   that the record is stored. A request or a vote alone is a promise.
2. The older sample (EvidenceFactory, EvidenceSignersData): `newEvidence` creates a contract of its own for the record. Success of the
   call says nothing: a sender who may not sign gets `errorNewSignaturesEvent` and status 0. The record is stored when the contract
   named in the factory's `newEvidenceEvent` announces `newSignaturesEvent` with the very text of the call. That is the signature of
   one party; those of the others (`addSignatures`) are transactions of their own, which name no digest and record none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .. import digests
from ..codecs.text import CodecError
from ..trust import ChainProfile
from . import abi
from .location import Place, decode
from .node_json import address

REQUEST_METHODS = (abi.CREATE, abi.VOTE)
NEW_RECORD = {
    "newEvidence(string,string,string,uint8,bytes32,bytes32)": (
        "newSignaturesEvent(string,string,string,uint8,bytes32,bytes32,address)",
        "errorNewSignaturesEvent(string,string,string,uint8,bytes32,bytes32,address)",
    ),
    "newEvidence(string)": ("newSignaturesEvent(string,address)", "errorNewSignaturesEvent(string,address)"),
}
"""Method of the older sample -> the events of the new contract: the record is stored, the sender may not record."""
NEW_CONTRACT = "newEvidenceEvent(address)"
ADD_SIGNATURE = ("addSignatures(uint8,bytes32,bytes32)", "addSignatures(address)", "addSignatures()")


@dataclass(frozen=True, slots=True)
class Log:
    """What a contract logged; `address` as the node prints it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


class Effect(StrEnum):
    """UNSAID: no event is due for this call. STORED: the due event is there. PENDING: it is not. REFUSED: the contract says no."""

    UNSAID = "UNSAID"
    STORED = "STORED"
    PENDING = "PENDING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Announced:
    """wanted, seen   the due event, and the known events that were logged; `events`: their parameters, as places of a digest."""

    effect: Effect
    wanted: str
    seen: str
    events: tuple[Place, ...]
    notes: tuple[str, ...] = ()


NOT_CANONICAL = "CALL_NOT_CANONICAL"


def call_of(to: str | None, data: bytes | None, profile: ChainProfile | None) -> tuple[abi.Call | None, tuple[str, ...]]:
    """The evidence call in a transaction, of a method that is known or that the court has mapped, and notes on it."""
    if not to or not data:
        return None, ()
    mapped = [c.method for c in profile.contracts if address(c.name) == address(to)] if profile else []
    try:
        call = abi.call(data, further=[m for m in mapped if m not in abi.METHODS])
    except CodecError:
        return None, (NOT_CANONICAL,)
    return call, (f"METHOD_FOUND:{call.signature}",) if call else ()


def announced(
    logs: Sequence[Log], *, to: str, call: abi.Call | None, unread: bool, profile: ChainProfile | None
) -> Announced:
    """What the logs of a receipt say about the call that the transaction made of contract `to`.

    unread   the call is of a known method and could not be read: then nobody knows which event is due
    """
    mine = [log for log in logs if address(log.address) == address(to)]
    events = tuple(place for log in mine for place in _places(log))
    seen = ", ".join(dict.fromkeys(p.method for p in events)) or "–"
    mapped = _mapped_event(to, call, profile)
    if call is not None and call.signature in NEW_RECORD and mapped is None:
        return _new_record(logs, mine, call, to, events)
    wanted = mapped or (abi.SAVED if call is not None and call.signature in REQUEST_METHODS else None)
    if call is not None and call.signature in ADD_SIGNATURE and wanted is None:
        wanted = next(iter(NEW_RECORD.values()))[0]
        return Announced(Effect.PENDING, wanted, seen, events, ("SIGNATURE_ADDED_ONLY",))
    if wanted is None and unread:
        return Announced(Effect.PENDING, "–", seen, events)
    if wanted is None:
        return Announced(Effect.UNSAID, "", seen, events)
    values = recorded_values(to, call, profile)
    if any(_is_final(log, wanted, values) for log in mine):
        return Announced(Effect.STORED, wanted, wanted, events, ("FINAL_EVENT_FOUND",))
    return Announced(Effect.PENDING, wanted, seen, events)


def carries(logs: Sequence[Log], *, to: str, call: abi.Call | None) -> bool:
    """Whether the called contract logged the digest that it was called with."""
    digest = dict(call.parameters).get("hash") if call else None
    mine = (log for log in logs if address(log.address) == address(to))
    return digest is not None and any(digest in log.topics[1:] for log in mine)


def all_known(logs: Sequence[Log]) -> bool:
    """Whether every log is a known event in canonical form, so that its borders are certain where the chain hashes none."""
    try:
        return all(abi.event(log.topics, log.data) is not None for log in logs)
    except CodecError:
        return False


def recorded_values(to: str, call: abi.Call | None, profile: ChainProfile | None) -> frozenset[bytes]:
    """The values whose recording the final event must announce: the mapped parameter, as written and decoded."""
    if call is None:
        return frozenset()
    parameters = dict(call.parameters)
    found = {parameters.get("hash", b"")}
    for contract in profile.contracts if profile else ():
        if address(contract.name) == address(to) and contract.method == call.signature:
            written = parameters.get(contract.digest_param, b"")
            found |= {written, decode(contract, written) or b""}
    return frozenset(found - {b""})


def _mapped_event(to: str, call: abi.Call | None, profile: ChainProfile | None) -> str | None:
    for contract in profile.contracts if profile and call else ():
        if address(contract.name) == address(to) and call is not None and contract.method == call.signature:
            if contract.final_event:
                return contract.final_event
    return None


def _new_record(
    logs: Sequence[Log], mine: Sequence[Log], call: abi.Call, to: str, events: tuple[Place, ...]
) -> Announced:
    """Kind 2 of the module's docstring."""
    stored, refused = NEW_RECORD[call.signature]
    made = {dict(e.parameters)["addr"] for log in mine if (e := _read(log)) and e.signature == NEW_CONTRACT}
    factory = bytes.fromhex(address(to)[2:])
    said: list[str] = []
    for log in logs:
        event = _read(log)
        if event is None or bytes.fromhex(address(log.address)[2:]) not in made:
            continue
        told = dict(event.parameters)
        if told.get("evi") == dict(call.parameters)["evi"] and told.get("addr") == factory:
            said.append(event.signature)
    seen = ", ".join(dict.fromkeys(said)) or "–"
    if refused in said:
        return Announced(Effect.REFUSED, stored, seen, events)
    if stored in said:
        return Announced(Effect.STORED, stored, seen, events, ("FINAL_EVENT_FOUND", "ONE_PARTY_SIGNED"))
    return Announced(Effect.PENDING, stored, seen, events)


def _is_final(log: Log, wanted: str, values: frozenset[bytes]) -> bool:
    """The event `wanted` (a signature, or a known event's name) about one of the values: in a topic, or in the data."""
    signatures = [wanted] if "(" in wanted else [s for s in abi.EVENTS if s.startswith(wanted + "(")]
    if not log.topics or not any(log.topics[0] in abi.identifiers(s) for s in signatures):
        return False
    for value in values:
        # An indexed text stands in its topic as its hash.
        forms = {value, *(digests.digest(algorithm, value) for algorithm in abi.ID_HASHES)}
        if forms & set(log.topics[1:]) or value in log.data:
            return True
    return False


def _read(log: Log) -> abi.Call | None:
    try:
        return abi.event(log.topics, log.data)
    except CodecError:
        return None


def _places(log: Log) -> list[Place]:
    read = _read(log)
    return [Place(address(log.address), read.signature, key, value) for key, value in read.parameters] if read else []
