"""Hyperledger Fabric blocks written field by field, signed with `cryptography`.

Nothing of the engine is used here. Field numbers are those of `hyperledger/fabric-protos`; the keys come from labels.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
CHANNEL = "evidence"
CHAINCODE = "depository"
ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551

# ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(tag: int, value: int) -> bytes:
    return varint(tag << 3) + varint(value) if value else b""


def text(tag: int, value: bytes | str) -> bytes:
    """A field with a length, left out when empty."""
    raw = value.encode() if isinstance(value, str) else value
    return kept(tag, raw) if raw else b""


def kept(tag: int, raw: bytes) -> bytes:
    """The same, written even when empty."""
    return varint(tag << 3 | 2) + varint(len(raw)) + raw


def entry(tag: int, key: str, value: bytes) -> bytes:
    return kept(tag, text(1, key) + kept(2, value))


# ── keys and certificates ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Holder:
    """A key with its certificate and the organisation it speaks for."""

    mspid: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def identity(self) -> bytes:
        return text(1, self.mspid) + text(2, self.pem)

    def sign(self, message: bytes, *, high: bool = False) -> bytes:
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        low = min(s, ORDER - s)
        return encode_dss_signature(r, ORDER - low if high else low)


def key_of(label: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(label.encode()).digest()) % ORDER, ec.SECP256R1())


@cache
def holder(
    mspid: str, name: str, by: Holder | None = None, *, unit: str | None = None, ca: bool = False, begin: datetime = BEGIN
) -> Holder:
    key = key_of(f"{mspid} {name}")
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    subject = x509.Name(attributes)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(f"{mspid} {name}".encode()).digest()[:8]))
        .not_valid_before(begin)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    return Holder(mspid, key, built.sign(by.key if by else key, hashes.SHA256(), ecdsa_deterministic=True))


@dataclass(frozen=True)
class Organisation:
    mspid: str
    root: Holder
    issuer: Holder
    """The root, or an authority below it."""

    def member(self, name: str, unit: str | None) -> Holder:
        return holder(self.mspid, name, self.issuer, unit=unit)

    def msp(self, *, node_ous: bool = True, units: Sequence[str] = (), revoked: Sequence[bytes] = ()) -> bytes:
        """MSPConfig."""
        ous = b""
        if node_ous:
            roles = ("client", "peer", "admin", "orderer")
            ous = number(1, 1) + b"".join(kept(i, text(2, role)) for i, role in enumerate(roles, start=2))
        config = text(1, self.mspid) + kept(2, self.root.pem)
        if self.issuer is not self.root:
            config += kept(3, self.issuer.pem)
        config += b"".join(kept(5, crl) for crl in revoked)
        config += b"".join(kept(7, text(2, u)) for u in units)
        config += kept(8, text(1, "SHA2") + text(2, "SHA256"))
        config += kept(11, ous) if ous else b""
        return text(2, config)


@cache
def organisation(mspid: str, *, intermediate: bool = False, foreign: str = "") -> Organisation:
    """`foreign`: another organisation that calls itself the same."""
    root = holder(mspid, f"root {mspid}{foreign}", ca=True)
    issuer = holder(mspid, f"issuer {mspid}{foreign}", root, ca=True) if intermediate else root
    return Organisation(mspid, root, issuer)


# ── a network ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Network:
    """One orderer organisation (or several under BFT) and two that endorse."""

    channel: str = CHANNEL
    orderers: tuple[Organisation, ...] = (organisation("OrdererMSP", intermediate=True),)
    members: tuple[Organisation, ...] = (organisation("Org1MSP"), organisation("Org2MSP"))
    bft: bool = False
    node_ous: bool = True
    rule: int = 0
    revoked: tuple[bytes, ...] = ()

    @property
    def consenters(self) -> tuple[Holder, ...]:
        """Orderer nodes: one of each organisation."""
        return tuple(o.member(f"orderer {i}", "orderer") for i, o in enumerate(self.orderers, start=1))

    @property
    def orderer(self) -> Holder:
        return self.consenters[0]

    @property
    def client(self) -> Holder:
        return self.members[0].member("client", "client")

    @property
    def peers(self) -> tuple[Holder, ...]:
        return tuple(o.member("peer", "peer") for o in self.members)

    def config(self, sequence: int = 0, *, consenters: Sequence[Holder] | None = None) -> bytes:
        """ConfigEnvelope."""

        def value(name: str, content: bytes) -> bytes:
            return entry(3, name, kept(2, content) + text(3, "Admins"))

        def group(organisations: Sequence[Organisation], more: bytes) -> bytes:
            listed = b"".join(
                entry(2, o.mspid, value("MSP", o.msp(node_ous=self.node_ous, revoked=self.revoked)) + text(5, "Admins"))
                for o in organisations
            )
            return listed + more + text(5, "Admins")

        kind = "BFT" if self.bft else "etcdraft"
        values = value("ConsensusType", text(1, kind))
        if self.bft:
            nodes = self.consenters if consenters is None else consenters
            mapping = b"".join(
                kept(1, number(1, i) + text(2, f"orderer{i}") + number(3, 7050) + text(4, h.mspid) + text(5, h.pem))
                for i, h in enumerate(nodes, start=1)
            )
            values += value("Orderers", mapping)
        policy = text(1, "Writers") + number(2, self.rule)
        values += entry(4, "BlockValidation", kept(2, number(1, 3) + text(2, policy)) + text(3, "Admins"))
        channel = entry(2, "Orderer", group(self.orderers, values)) + entry(2, "Application", group(self.members, b""))
        channel += value("HashingAlgorithm", text(1, "SHA256"))
        return text(1, number(1, sequence) + text(2, channel))

    def genesis(self) -> "Block":
        payload = text(1, text(1, self.header(1)) + text(2, self.signature_header(None))) + text(2, self.config())
        return Block(0, b"", (text(1, payload),))

    def reconfigured(self, after: "Block", sequence: int, by: Holder | None = None, **options: Any) -> "Block":
        """The next configuration block, signed by an orderer of the network as it was."""
        signer = by or self.orderer
        payload = text(1, text(1, self.header(1)) + text(2, self.signature_header(signer)))
        payload += text(2, self.config(sequence, **options))
        envelope = text(1, payload) + text(2, signer.sign(payload))
        return self.signed(Block(after.number + 1, after.hash, (envelope,)), after.number + 1, [signer])

    def header(self, kind: int, tx_id: str = "", extension: bytes = b"") -> bytes:
        """ChannelHeader."""
        return (
            number(1, kind)
            + kept(3, number(1, 1_790_000_000))
            + text(4, self.channel)
            + text(5, tx_id)
            + text(7, extension)
        )

    def signature_header(self, by: Holder | None, nonce: bytes = b"n" * 24) -> bytes:
        return (text(1, by.identity) if by else b"") + text(2, nonce)

    def signed(self, block: "Block", last_config: int, by: Sequence[Holder], *, high: bool = False) -> "Block":
        """The block with its metadata: signatures of these orderers, flags 0, a commit hash."""
        value = kept(1, number(1, last_config)) + text(2, b"raft")
        signatures = b"".join(kept(2, self.vote(block, value, holder_, high=high)) for holder_ in by)
        return replace(
            block,
            metadata=(
                text(1, value) + signatures,
                b"",
                bytes(len(block.envelopes)),
                b"",
                text(1, hashlib.sha256(b"commit").digest()),
            ),
        )

    def signed_apart(self, block: "Block", last_config: int, by: Holder, *, other: Holder | None = None) -> "Block":
        """As orderers before 1.4.1: nothing but the header is signed first, LastConfig in an item of its own (by `other`)."""
        value = number(1, last_config)
        first, second = kept(2, self.vote(block, b"", by)), kept(2, self.vote(block, value, other or by))
        return replace(block, metadata=(first, text(1, value) + second, bytes(len(block.envelopes)), b""))

    def vote(self, block: "Block", value: bytes, by: Holder, *, high: bool = False, identifier: int | None = None) -> bytes:
        """MetadataSignature: under BFT the signer is named by number."""
        if self.bft:
            place = identifier or self.consenters.index(by) + 1
            header = number(1, place) + text(2, b"m" * 24)
            return text(2, by.sign(value + header + block.header, high=high)) + text(3, header)
        header = self.signature_header(by, b"o" * 24)
        return text(1, header) + text(2, by.sign(value + header + block.header, high=high))

    def record(self, digest: bytes, **options: Any) -> "Transaction":
        """A call save(id, digest) that writes the digest under the id and tells it in an event."""
        return Transaction(self, digest, **options)

    def block(self, after: "Block", records: Sequence["Transaction"], *, last_config: int = 0, **options: Any) -> "Block":
        envelopes = tuple(r.envelope() for r in records)
        block = Block(after.number + 1, after.hash, envelopes)
        by = options.pop("by", None) or (self.consenters if self.bft else (self.orderer,))
        return self.signed(block, last_config, by, **options)

    @property
    def profile(self) -> dict[str, Any]:
        return {
            "id": "evidence-channel",
            "title": {"zh": "测试通道", "en": "Test channel"},
            "operator": "platform",
            "family": "fabric",
            "chain_id": self.channel,
            "genesis_hash": self.genesis().hash.hex(),
            "suite": {"hash": "SHA256", "signature": "ECDSA-P256"},
            "consensus": "BFT" if self.bft else "SINGLE",
            "execution_basis": "ordering_only",
            "contracts": [
                {"name": CHAINCODE, "method": "save", "digest_param": "1", "encoding": "hex-text", "alg": "SHA-256"}
            ],
        }


@dataclass(frozen=True)
class Block:
    number: int
    previous: bytes
    envelopes: tuple[bytes, ...]
    metadata: tuple[bytes, ...] = ()
    data_hash: bytes | None = None

    @property
    def data(self) -> bytes:
        return self.data_hash if self.data_hash is not None else hashlib.sha256(b"".join(self.envelopes)).digest()

    @property
    def header(self) -> bytes:
        """DER, as signed and hashed."""
        digits = self.number.to_bytes(self.number.bit_length() // 8 + 1)
        body = b"\x02" + bytes([len(digits)]) + digits
        body += b"\x04" + bytes([len(self.previous)]) + self.previous + b"\x04\x20" + self.data
        return b"\x30" + bytes([len(body)]) + body

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.header).digest()

    @property
    def header_pb(self) -> bytes:
        return number(1, self.number) + text(2, self.previous) + text(3, self.data)

    @property
    def pb(self) -> bytes:
        """common.Block."""
        return (
            kept(1, self.header_pb)
            + kept(2, b"".join(kept(1, e) for e in self.envelopes))
            + kept(3, b"".join(kept(1, m) for m in self.metadata))
        )


def blockfile(*blocks: Block) -> bytes:
    """As a peer stores them."""

    def sized(raw: bytes) -> bytes:
        return varint(len(raw)) + raw

    out = b""
    for b in blocks:
        body = varint(b.number) + sized(b.data) + sized(b.previous)
        body += varint(len(b.envelopes)) + b"".join(sized(e) for e in b.envelopes)
        body += varint(len(b.metadata)) + b"".join(sized(m) for m in b.metadata)
        out += sized(body)
    return out


@dataclass(frozen=True)
class Transaction:
    """One endorsed call; each field may be spoilt by a test."""

    network: Network
    digest: bytes
    record_id: str = "EV-1"
    chaincode: str = CHAINCODE
    invoked: str | None = None
    method: str = "save"
    status: int = 200
    nonce: bytes = b"n" * 24
    creator: Holder | None = None
    endorsers: tuple[Holder, ...] | None = None
    tx_id: str | None = None
    proposal_hash: bytes | None = None
    signature: bytes | None = None
    arguments: tuple[bytes, ...] | None = None
    event: str | None = "Saved"
    deleted: bool = False
    high: bool = False
    actions: int = 1
    extra: bytes = b""
    """Bytes behind the envelope's own fields."""
    endorsed: bytes | None = None
    """Another response that the endorsers signed."""
    high_endorsements: bool = False

    @property
    def id(self) -> str:
        by = self.creator or self.network.client
        return self.tx_id or hashlib.sha256(self.nonce + by.identity).hexdigest()

    def envelope(self) -> bytes:
        network = self.network
        by = self.creator or network.client
        named = text(2, self.chaincode)
        channel_header = network.header(3, self.id, kept(2, named))
        signature_header = network.signature_header(by, self.nonce)
        arguments = self.arguments or (self.method.encode(), self.record_id.encode(), self.digest.hex().encode())
        given = b"".join(kept(1, a) for a in arguments)
        spec = number(1, 1) + kept(2, text(2, self.invoked or self.chaincode)) + kept(3, given)
        proposal = text(1, kept(1, spec))
        written = text(1, self.record_id) + number(2, self.deleted) + text(3, self.digest.hex())
        results = kept(2, text(1, self.chaincode) + text(2, kept(3, written)))
        told = text(1, self.chaincode) + text(2, self.id) + text(3, self.event or "") + text(4, self.digest)
        action = text(1, results) + (text(2, told) if self.event else b"")
        action += kept(3, number(1, self.status)) + kept(4, named + text(3, "1.0"))
        whole = hashlib.sha256(channel_header + signature_header + proposal).digest()
        response = text(1, self.proposal_hash or whole) + text(2, action)
        endorsers = network.peers if self.endorsers is None else self.endorsers
        endorsed = text(1, response) + b"".join(
            kept(2, text(1, e.identity) + text(2, e.sign((self.endorsed or response) + e.identity, high=self.high_endorsements)))
            for e in endorsers
        )
        taken = kept(1, text(1, signature_header) + text(2, text(1, proposal) + kept(2, endorsed)))
        payload = text(1, text(1, channel_header) + text(2, signature_header)) + text(2, taken * self.actions)
        signature = self.signature if self.signature is not None else by.sign(payload, high=self.high)
        return text(1, payload) + text(2, signature) + self.extra
