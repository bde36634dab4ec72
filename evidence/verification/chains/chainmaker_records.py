"""ChainMaker 2.x, step T: what an evidence contract keeps in a transaction.

Standard contract CMEVI (CM-CS-221221-Evidence): Evidence(id, hash, metadata), EvidenceBatch(evidences), UpdateEvidence.
"""

from collections.abc import Iterator

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
    """EvidenceBatch(evidences): a JSON array of {id, hash, metadata}; each member becomes a place of its own name."""
    try:
        records = strict_json.loads(place.value)
    except strict_json.JsonError:
        return
    for record in records[:BATCH_MAX] if isinstance(records, list) else ():
        for key, value in record.items() if isinstance(record, dict) else ():
            if isinstance(value, str):
                yield Place(place.contract, place.method, key, value.encode())


def record_id(body: Message) -> tuple[str, str, bytes] | None:
    """(contract, method, record id) of an evidence transaction, to find later updates of the same record."""
    payload = body.message("payload")
    for parameter in payload.messages("parameters") if payload else ():
        if payload is not None and parameter.text("key") == ID_PARAMETER:
            return payload.text("contract_name"), payload.text("method"), parameter.data("value")
    return None
