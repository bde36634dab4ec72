"""ChainMaker 2.x, step T: what an evidence contract keeps in a transaction.

Standard contract CMEVI (CM-CS-221221-Evidence): Evidence(id, hash, metadata), EvidenceBatch(evidences), UpdateEvidence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..codecs import strict_json
from ..codecs.protobuf import Message
from .location import Place

BATCH_METHOD = "EvidenceBatch"
BATCH_PARAMETER = "evidences"
BATCH_MAX = 10_000
"""Records of one EvidenceBatch; a transaction is a few MiB at most."""
UPDATE_METHOD = "UpdateEvidence"
ID_PARAMETER = "id"
"""Names of the standard evidence contract CMEVI (CM-CS-221221-Evidence)."""


def tx_id(body: Message | None) -> str:
    payload = body.message("payload") if body else None
    return payload.text("tx_id") if payload else ""


def places(body: Message) -> tuple[Place, ...]:
    """Step T: parameters, the records of a batch, and the contract's events, as the chain hashed them."""
    payload = body.message("payload")
    if payload is None:
        return ()
    contract, method = payload.text("contract_name"), payload.text("method")
    found = [Place(contract, method, p.text("key"), p.data("value")) for p in payload.messages("parameters")]
    for place in tuple(found):
        if method == BATCH_METHOD and place.key == BATCH_PARAMETER:
            found.extend(_batch(place))
    result = body.message("result")
    outcome = result.message("contract_result") if result else None
    for event in outcome.messages("contract_event") if outcome else ():
        for i, text in enumerate(event.texts("event_data")):
            found.append(
                Place(event.text("contract_name"), event.text("topic"), f"event[{i}]", text.encode())
            )
    return tuple(found)


def _batch(place: Place) -> Iterator[Place]:
    """Each member of each record becomes a place of its own name."""
    for members in _members(place.value):
        for key, value in members:
            yield Place(place.contract, place.method, key, value)


def _members(batch: bytes) -> Iterator[list[tuple[str, bytes]]]:
    """EvidenceBatch(evidences): a JSON array of {id, hash, metadata} -> the text members of each record."""
    try:
        found = strict_json.loads(batch)
    except strict_json.JsonError:
        return
    for record in found[:BATCH_MAX] if isinstance(found, list) else ():
        if isinstance(record, dict):
            yield [(key, value.encode()) for key, value in record.items() if isinstance(value, str)]


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a transaction writes: its contract and id, and the texts beside the id (digest, metadata)."""

    contract: str
    id: bytes
    values: tuple[bytes, ...]


def records(body: Message | None) -> tuple[Record, ...]:
    """The records of Evidence, UpdateEvidence or any method with a parameter `id`, and those of an EvidenceBatch."""
    payload = body.message("payload") if body else None
    if payload is None:
        return ()
    contract = payload.text("contract_name")
    parameters = [(p.text("key"), p.data("value")) for p in payload.messages("parameters")]
    if payload.text("method") == BATCH_METHOD:
        batches = (_members(v) for k, v in parameters if k == BATCH_PARAMETER)
        found = [_record(contract, members) for batch in batches for members in batch]
        return tuple(r for r in found if r is not None)
    record = _record(contract, parameters)
    return () if record is None else (record,)


def is_update(body: Message) -> bool:
    payload = body.message("payload")
    return payload is not None and payload.text("method") == UPDATE_METHOD


def succeeded(body: Message) -> bool:
    """`result.code` and the contract's own code are 0."""
    result = body.message("result")
    outcome = result.message("contract_result") if result else None
    return result is not None and not result.number("code") and not (outcome and outcome.number("code"))


def _record(contract: str, members: list[tuple[str, bytes]]) -> Record | None:
    ids = [value for key, value in members if key == ID_PARAMETER]
    return Record(contract, ids[0], tuple(v for k, v in members if k != ID_PARAMETER)) if len(ids) == 1 else None
