"""Hyperledger Fabric: what a configuration block says, and which configurations the court may rely on (spec §7 step 5, §3.4).

A configuration names the organisations whose nodes order blocks, with their roots. It counts when the court has pinned its block
(the genesis block, or a checkpoint), or when later blocks lead from it to a pinned one, or by custody: it follows a configuration
that counts, with the next sequence number, in a block signed as that one demands. This says whose signatures count and nothing
else: anybody can go on from a genesis block with nodes of one's own choosing that the configuration never named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..codecs import protobuf
from ..codecs.protobuf import Message, ProtobufError
from ..trust import ChainProfile
from . import fabric_messages as messages
from .fabric_block import Block
from .fabric_identity import Identity, Msp, certificates_of, identity

ORGANISATIONS_MAX = 1024
"""Organisations of one configuration; channels have a few dozen at most."""
FABRIC_MSP = 0
"""`MSPConfig.type` of organisations with X.509 certificates; the other kinds sign nothing that is read here."""


@dataclass(frozen=True, slots=True)
class Consenter:
    """A node of a Byzantine orderer set (Fabric 3): blocks name it by number."""

    number: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Configuration:
    """`needed`: how many organisations must sign a block (1: any one), None: a policy that is not read."""

    height: int
    sequence: int
    orderers: tuple[Msp, ...]
    members: tuple[Msp, ...]
    consensus: str
    consenters: tuple[Consenter, ...]
    needed: int | None
    hashing: str

    @property
    def byzantine(self) -> bool:
        return bool(self.consenters)

    def consenter(self, number: int) -> Identity | None:
        found = [c.identity for c in self.consenters if c.number == number]
        return found[0] if len(found) == 1 else None


class ConfigurationError(ValueError):
    """A configuration that cannot be read."""


@lru_cache(maxsize=256)
def configuration(block: Block) -> Configuration:
    """A configuration block -> what it says. Raises ConfigurationError."""
    opened = block.opened[0] if block.is_config else None
    if opened is None:
        raise ConfigurationError("not a configuration block")
    try:
        config = protobuf.parse(opened.data, messages.CONFIG_ENVELOPE).message("config")
        if config is None:
            raise ConfigurationError("no configuration")
        return _configuration(block.number, config)
    except ProtobufError as fault:
        raise ConfigurationError(str(fault)) from fault


def _configuration(height: int, config: Message) -> Configuration:
    channel = protobuf.parse(config.data("channel_group"), messages.CONFIG_GROUP)
    groups = channel.entries("groups")
    orderer = protobuf.parse(groups.get("Orderer", b""), messages.CONFIG_GROUP)
    orderers = _organisations(orderer)
    members = _organisations(protobuf.parse(groups.get("Application", b""), messages.CONFIG_GROUP))
    consensus = protobuf.parse(_value(orderer, "ConsensusType"), messages.CONSENSUS_TYPE).text("type")
    listed = protobuf.parse(_value(orderer, "Orderers"), messages.ORDERERS).messages("consenter_mapping")
    return Configuration(
        height=height,
        sequence=config.number("sequence"),
        orderers=orderers,
        members=members,
        consensus=consensus,
        consenters=_consenters(listed) if consensus == "BFT" else (),
        needed=_needed(orderer, len(orderers)),
        hashing=protobuf.parse(_value(channel, "HashingAlgorithm"), messages.NAMED).text("name"),
    )


def _value(group: Message, name: str) -> bytes:
    return protobuf.parse(group.entries("values").get(name, b""), messages.CONFIG_VALUE).data("value")


def _organisations(group: Message) -> tuple[Msp, ...]:
    groups: Mapping[str, bytes] = group.entries("groups")
    if len(groups) > ORGANISATIONS_MAX:
        raise ConfigurationError(f"{len(groups)} organisations")
    found = []
    for name in sorted(groups):
        value = _value(protobuf.parse(groups[name], messages.CONFIG_GROUP), "MSP")
        config = protobuf.parse(value, messages.MSP_CONFIG)
        if value and config.number("type") == FABRIC_MSP:
            found.append(_msp(protobuf.parse(config.data("config"), messages.FABRIC_MSP_CONFIG)))
    return tuple(found)


def _msp(config: Message) -> Msp:
    node_ous = config.message("fabric_node_ous")
    named: list[tuple[str, str]] = []
    if node_ous is not None and node_ous.number("enable"):
        for role in ("client", "peer", "admin", "orderer"):
            unit = node_ous.message(role)
            if unit is not None and unit.text("organizational_unit_identifier"):
                named.append((role, unit.text("organizational_unit_identifier")))
    return Msp(
        id=config.text("name"),
        roots=tuple(d for pem in config.parts("root_certs") for d in certificates_of(pem)),
        intermediates=tuple(d for pem in config.parts("intermediate_certs") for d in certificates_of(pem)),
        units=tuple(
            u.text("organizational_unit_identifier") for u in config.messages("organizational_unit_identifiers")
        ),
        node_ous=tuple(named),
        revoked=config.parts("revocation_list"),
    )


def _consenters(listed: Sequence[Message]) -> tuple[Consenter, ...]:
    found = []
    for message in listed:
        who = identity(message.text("msp_id"), message.data("identity"))
        if who is None:
            raise ConfigurationError(f"consenter {message.number('id')} without a readable certificate")
        found.append(Consenter(message.number("id"), who))
    numbers = {c.number for c in found}
    certificates = {c.identity.certificate for c in found}
    if len(numbers) != len(found) or len(certificates) != len(found):
        raise ConfigurationError("a consenter twice")
    return tuple(found)


def _needed(orderer: Message, organisations: int) -> int | None:
    """How many organisations the policy BlockValidation asks for. Channels are made with "any of the writers"."""
    policy = protobuf.parse(orderer.entries("policies").get("BlockValidation", b""), messages.CONFIG_POLICY)
    rule = protobuf.parse(policy.data("policy"), messages.POLICY)
    if rule.number("type") != messages.IMPLICIT_META:
        return None
    kind = protobuf.parse(rule.data("value"), messages.IMPLICIT_META_POLICY).number("rule")
    return {0: 1, 1: organisations, 2: organisations // 2 + 1}.get(kind)


# ── custody ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration that a block says it was made under. `counts`: the court may rely on it; else it is data."""

    configuration: Configuration
    counts: bool


class Custody:
    """The configurations of one channel as handed in, and which of them count for the court's profile.

    accepts   whether a block is signed as a configuration demands
    anchored  whether a block is pinned, or supplied blocks lead from it to a pinned one
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        profile: ChainProfile | None,
        *,
        accepts: Callable[[Block, Configuration], bool],
        anchored: Callable[[Block], bool],
    ) -> None:
        self._handed_in: list[tuple[Block, Configuration]] = []
        for block in blocks:
            try:
                # What does not lie under its own header is no configuration of that block.
                if block.is_config and block.ill_formed is None and block.content_hash == block.data_hash:
                    self._handed_in.append((block, configuration(block)))
            except ConfigurationError:
                continue
        self._handed_in.sort(key=lambda p: (p[1].sequence, p[0].number, p[0].hash))
        self.counting: list[tuple[Block, Configuration]] = []
        for block, config in self._handed_in if profile is not None else ():
            pinned = anchored(block) or (block.number == 0 and profile is not None and block.hash == profile.genesis_hash)
            follows = any(
                before.sequence + 1 == config.sequence and earlier.number < block.number and accepts(block, before)
                for earlier, before in self.counting
            )
            if pinned or follows:
                self.counting.append((block, config))

    def at(self, height: int) -> InForce | None:
        """The configuration of block `height`, as handed in."""
        for counts, pairs in ((True, self.counting), (False, self._handed_in)):
            found = [config for block, config in pairs if block.number == height]
            if found:
                return InForce(found[0], counts)
        return None

    def before(self, block: Block) -> InForce | None:
        """The configuration before the one in a configuration block, under which that block was signed."""
        own = next((config for b, config in self._handed_in if b.hash == block.hash), None)
        for counts, pairs in ((True, self.counting), (False, self._handed_in)):
            found = [c for b, c in pairs if own and c.sequence + 1 == own.sequence and b.number < block.number]
            if found:
                return InForce(found[0], counts)
        return None

    def newest_before(self, height: int) -> Configuration | None:
        """The last configuration that counts below a height. Asked where nothing signed says which one was in force."""
        found = [(b.number, config) for b, config in self.counting if b.number < height]
        return max(found, key=lambda p: p[0])[1] if found else None

    def between(self, after: int, before: int) -> int | None:
        """The height of a configuration that counts and lies strictly between two heights, or None."""
        return next((b.number for b, _ in self.counting if after < b.number < before), None)
