"""`fetch`: one transaction of one node, with everything that proves it. The narrow door of this room.

    fetched = fetch(node, "0x…", record=archive)

Every exchange is handed to `record` as it ends, whether it brought an answer or not, before anything is made of it. What comes back
is the node's bytes as they came: whether they prove anything is for the engine to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from . import chainmaker, fisco, h2grpc, http1
from .addresses import AddressRefused, NoAddress, Resolver
from .nodes import Node
from .questions import Absent, Answer, Question
from .wire import Deadline, Reply, Trail, Unreachable, Unusable, connect

__all__ = ["Answer", "Exchange", "Fetched", "Outcome", "Unreachable", "Unusable", "fetch"]


class Outcome:
    """How one exchange ended, for the archive."""

    ANSWERED = "answered"
    UNUSABLE = "unusable"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """The name leads to an address that is never connected to, or not allowed for this node: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what came of it, for the archive. Times by this machine's clock (UTC)."""

    question: str
    host: str
    port: int
    address: str
    """Where the connection went, or was to go; "" when the name was refused or has none."""
    certificate: bytes | None
    """The certificate that the node showed and that was accepted (DER)."""
    request: bytes
    status: str
    answer: bytes | None
    outcome: str
    fault: str
    asked_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """`answers` is empty when the node says that it knows no such transaction."""

    answers: tuple[Answer, ...]

    @property
    def absent(self) -> bool:
        return not self.answers


def fetch(
    node: Node, tx_id: str, *, record: Callable[[Exchange], None], resolver: Resolver | None = None
) -> Fetched:
    """Ask one node for one transaction. Unreachable (ask again later) or Unusable (do not), after `record` has what there was."""
    if not node.names(tx_id):
        raise Unusable("no transaction of this chain has such an id")
    deadline = Deadline(node.seconds)

    def ask(question: Question) -> bytes:
        return _exchange(node, question, deadline=deadline, record=record, resolver=resolver)

    prove = chainmaker.prove if node.family == "chainmaker" else fisco.prove
    try:
        return Fetched(tuple(prove(node, tx_id, ask)))
    except Absent:
        return Fetched(())


def _exchange(
    node: Node, question: Question, *, deadline: Deadline, record: Callable[[Exchange], None], resolver: Resolver | None
) -> bytes:
    asked_at = datetime.now(UTC)
    trail = Trail()
    reply = Reply("", b"")
    outcome, fault = Outcome.ANSWERED, ""
    try:
        alpn = h2grpc.ALPN if node.family == "chainmaker" else None
        with connect(node, deadline=deadline, trail=trail, alpn=alpn, resolver=resolver) as line:
            if node.family == "chainmaker":
                reply = h2grpc.call(line, node, question.method, question.body)
            else:
                reply = http1.post(line, node, question.body)
        if reply.fault:
            outcome = Outcome.UNREACHABLE if reply.again else Outcome.UNUSABLE
            fault = reply.fault
    except AddressRefused as refused:
        outcome, fault = Outcome.REFUSED, str(refused)
    except (NoAddress, Unreachable) as unreachable:
        outcome, fault = Outcome.UNREACHABLE, str(unreachable)
    except Unusable as unusable:
        outcome, fault = Outcome.UNUSABLE, str(unusable)
    record(
        Exchange(
            question=question.name,
            host=node.host,
            port=node.port,
            address=trail.address,
            certificate=trail.certificate,
            request=question.body,
            status=reply.status,
            answer=reply.body if reply.status else None,
            outcome=outcome,
            fault=fault,
            asked_at=asked_at,
            ended_at=datetime.now(UTC),
        )
    )
    if outcome == Outcome.ANSWERED:
        return reply.body
    if outcome == Outcome.UNREACHABLE:
        raise Unreachable(fault)
    raise Unusable(fault)
