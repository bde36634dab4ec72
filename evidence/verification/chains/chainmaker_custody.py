"""ChainMaker 2.x, step C by custody: from a block that the court has pinned through configuration blocks to the validators in
force (spec consortium-chains §3.4, §4 step 5).

A configuration block holds one transaction of the contract CHAIN_CONFIG, whose result is the whole ChainConfig (node
`conf/chainconf` `RestoreChainConfigFromBlock`); `pre_conf_height` of every header names the configuration in force. Each is
voted for by the validators of the one before, so that the row can be followed by signatures alone. It says who could vote,
not that they did: anybody can write a first block, and what a court has not pinned it has not chosen. So custody is told, and
replaces neither the quorum of pinned validators nor a checkpoint.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .. import merkle
from ..codecs.protobuf import Message, ProtobufError
from ..keys import x509
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, passed
from . import chainmaker_members as members
from . import chainmaker_votes as votes
from .chainmaker_hashing import Block, instant_of, is_complete, leaf_bytes
from .chainmaker_members import Certificates, Member, Suite
from .chainmaker_records import succeeded
from .ladder import ROOT, short

CONFIGURATIONS_MAX = 64
"""Configurations followed from one block: a chain is reconfigured a few times a year."""
CONFIG_CONTRACT = "CHAIN_CONFIG"
TBFT = 1
"""`consensus.type`: SOLO 0, TBFT 1, MBFT 2, MAXBFT 3, RAFT 4, DPOS 5."""
_CONSENSUS_ROLE = "consensus"


@dataclass(slots=True)
class Configuration:
    """What of a ChainConfig says who may vote.

    nodes   organisation -> how many nodes it runs
    roots   organisation -> PEM of its roots (certificate mode)
    keys    organisation -> keys (DER) of its consensus nodes (public-key mode)
    """

    chain_id: str = ""
    consensus: int = 0
    nodes: dict[str, int] = field(default_factory=dict)
    roots: dict[str, list[bytes]] = field(default_factory=dict)
    keys: dict[str, set[bytes]] = field(default_factory=dict)

    @property
    def needed(self) -> int:
        return votes.needed_of(sum(self.nodes.values()))


def is_configuration(block: Block) -> bool:
    """Whether the block's one transaction is a configuration that took effect. What it says is not looked at."""
    if block.txs is None or len(block.txs) != 1:
        return False
    payload = block.txs[0].message("payload")
    return payload is not None and payload.text("contract_name") == CONFIG_CONTRACT and succeeded(block.txs[0])


def followed(
    block: Block,
    others: Sequence[Block],
    *,
    subject: str,
    profile: ChainProfile,
    known: Certificates,
    suite: Suite,
) -> Finding | None:
    """Step C by custody, or None where the row of configurations is not there or not whole."""
    configurations = [b for b in others if b.chain_id == block.chain_id and is_configuration(b)]
    row: list[tuple[Block, Configuration]] = []
    current, start = block, None
    while start is None:
        found = _configuration_of(current, configurations, profile, suite)
        if found is None or len(row) >= CONFIGURATIONS_MAX:
            return None
        row.append(found)
        current = found[0]
        start = current.hash_under(suite.hash) if _is_pinned(current, profile, suite) else None
    # The oldest first: each configuration was voted for under the one before, the block under the last.
    ascending = [b for b, _ in reversed(row)]
    for (voted_for, (_, in_force)) in zip([*ascending[1:], block], reversed(row), strict=True):
        if in_force.consensus != TBFT or _weight(voted_for, in_force, known, suite) < in_force.needed:
            return None
    in_force = row[0][1]
    weight = _weight(block, in_force, known, suite)
    return passed(
        ROOT,
        subject,
        expected=f"≥{in_force.needed} / {sum(in_force.nodes.values())}",
        actual=f"{weight}: {short(start)}",
        notes=(f"CUSTODY:{len(row)}",),
    )


def _configuration_of(
    block: Block, configurations: Sequence[Block], profile: ChainProfile, suite: Suite
) -> tuple[Block, Configuration] | None:
    """The configuration block that `block` names, recomputed, with what it says."""
    height = block.header.number("pre_conf_height")
    if height >= block.height:
        return None
    candidates = [b for b in configurations if b.height == height]
    # Where somebody has put another beside the pinned one, the pinned one is meant.
    for candidate in sorted(candidates, key=lambda b: not _is_pinned(b, profile, suite)):
        if not _holds(candidate, suite):
            continue
        configuration = _read(candidate)
        if configuration is not None and configuration.chain_id == block.chain_id:
            return candidate, configuration
    return None


def _is_pinned(block: Block, profile: ChainProfile, suite: Suite) -> bool:
    own = block.hash_under(suite.hash)
    if block.height == 0 and profile.genesis_hash is not None:
        return profile.genesis_hash == own
    pin = profile.checkpoint_at(block.height)
    return pin is not None and pin.hash == own


def _holds(block: Block, suite: Suite) -> bool:
    """Whether the header has the hash it states and its transaction lies under it."""
    if block.hash_under(suite.hash) != block.stated_hash or block.count != 1 or not block.txs:
        return False
    if not is_complete(block.txs[0]):
        return False
    leaf = suite.digest(leaf_bytes(block.txs[0], block.header.number("block_version")))
    return merkle.repeating_levels([leaf], algorithm=suite.hash)[-1][0] == block.header.data("tx_root")


def _weight(block: Block, configuration: Configuration, known: Certificates, suite: Suite) -> int:
    """Nodes of the configuration that have voted for the block. An organisation counts for as many as it runs."""
    at = instant_of(block.header.number("block_timestamp"))
    about = votes.Signed(block.name, block.hash_under(suite.hash), block.height, at)
    heard: dict[str, set[bytes]] = {}
    for member in votes.voters(block.extra, about, known, suite):
        if member.key is not None and at is not None and _may_vote(member, configuration, known, at):
            heard.setdefault(member.org, set()).add(member.key)
    return sum(min(len(keys), configuration.nodes.get(org, 0)) for org, keys in heard.items())


def _may_vote(member: Member, configuration: Configuration, known: Certificates, at: datetime) -> bool:
    if member.certificate is None:
        return member.key in configuration.keys.get(member.org, ())
    path = x509.validate(
        member.certificate,
        intermediates=known.all[: x509.INTERMEDIATES_MAX],
        roots=[d for pem in configuration.roots.get(member.org, ()) for d in members.certificates(pem)],
        at=at,
        purpose=x509.Purpose.CHAIN_MEMBER,
    )
    return path.outcome is Outcome.PASSED and members.is_consensus_node(member.certificate)


# ── ChainConfig ───────────────────────────────────────────────────────────────────────────────────────────────────────
# 1 chain_id, 8 consensus{1 type, 2 nodes{1 org_id, 2 address, 3 node_id}}, 9 trust_roots{1 org_id, 2 root},
# 10 trust_members{1 member_info, 2 org_id, 3 role, 4 node_id}. It is hashed as the bytes it came in, and every version of the
# node adds fields to it, among them floating-point numbers: those that say nothing of voters are passed over.


def _read(block: Block) -> Configuration | None:
    """What the block's configuration says; None when it is no ChainConfig."""
    result = block.txs[0].message("result") if block.txs else None
    outcome = result.message("contract_result") if result else None
    try:
        return _configuration(outcome) if outcome else None
    except (ProtobufError, UnicodeDecodeError):
        return None


def _configuration(outcome: Message) -> Configuration:
    found = Configuration()
    for number, value in fields(outcome.data("result")):
        if number == 1:
            found.chain_id = _text(value)
        elif number == 8:
            _consensus(found, _octets(value))
        elif number == 9:
            root = _members(value)
            for org in root.get(1, []):
                found.roots.setdefault(org.decode(), []).extend(root.get(2, []))
        elif number == 10:
            _trust_member(found, _members(value))
    return found


def _consensus(found: Configuration, raw: bytes) -> None:
    for number, value in fields(raw):
        if number == 1 and isinstance(value, int):
            found.consensus = value
        elif number == 2:
            node = _members(value)
            # Node ids have replaced addresses, which name the same nodes.
            count = len(set(node.get(3) or node.get(2) or []))
            for org in node.get(1, []):
                found.nodes[org.decode()] = found.nodes.get(org.decode(), 0) + count


def _trust_member(found: Configuration, member: Mapping[int, list[bytes]]) -> None:
    if [r.decode().lower() for r in member.get(3, [])] != [_CONSENSUS_ROLE]:
        return
    for org, info in zip(member.get(2, []), member.get(1, []), strict=False):
        key = members.key_of(info)
        if key is not None:
            found.keys.setdefault(org.decode(), set()).add(key)


def _members(value: int | bytes) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for number, inner in fields(_octets(value)):
        if isinstance(inner, bytes):
            found.setdefault(number, []).append(inner)
    return found


def _octets(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ProtobufError("a number where a message is due", field="ChainConfig")
    return value


def _text(value: int | bytes) -> str:
    return _octets(value).decode()


_FIXED = {1: 8, 5: 4}
"""Wire type -> bytes of a value of fixed length."""


def fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of every field of a message whose table is not known: numbers and octets as they come."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(raw, at)
            yield tag >> 3, value
            continue
        length = _FIXED.get(wire)
        if length is None:
            if wire != 2:
                raise ProtobufError("a wire type that is not in use", field="ChainConfig", offset=at)
            length, at = _varint(raw, at)
        if length > len(raw) - at:
            raise ProtobufError("longer than the message around it", field="ChainConfig", offset=at)
        yield tag >> 3, raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        byte, at = raw[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ProtobufError("a number without an end", field="ChainConfig", offset=at)
