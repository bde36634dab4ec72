"""What the families have in common: a question, an answer worth keeping, and "no such transaction"."""

from collections.abc import Callable
from dataclasses import dataclass

PREFIX = "court-node/"
"""Names of what the court's own nodes answered begin so, in verdicts and reports. No file of a party bears such a name: see
`evidence.runs.given`."""


class Absent(Exception):
    """The node says that it knows no such transaction."""


@dataclass(frozen=True, slots=True)
class Question:
    """`name` for people and the archive; `body` goes out as it stands; `method` is gRPC's path."""

    name: str
    body: bytes
    method: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is what the node sent, byte for byte, or the very bytes of one field of it (of certificates: of several, in a row);
    `name` is its label as a source."""

    name: str
    data: bytes


Ask = Callable[[Question], bytes]
"""Put one question, archive what came, give back the answer's bytes. Unreachable, Unusable."""


def label(node_id: str, tx_id: str, file: str) -> str:
    return f"{PREFIX}{node_id}/{tx_id}/{file}"
