"""A block of a demonstration ChainMaker 2.x chain, written field by field: TBFT with four validators, CMEVI records.

Nothing of the engine is used here, so that the engine has something independent to verify. Field numbers are those of
ChainMaker pb; the keys come from labels that begin with "demonstration" (see `signers`).

    built = build_block([sha256_of_a_file], suite="SM")
    built.block_json            BlockInfo as the Go SDK prints it; built.block_pb the same as protobuf
    built.info_json[0]          TransactionInfo of the first record; built.paths_json[0] its Merkle path
    built.profile, .validators  what a court would pin of this chain (consortium/<name>/*.json of an anchor pack)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .chainmaker_wire import (
    BLOCK_VERSION,
    TIME,
    Json,
    Signer,
    Tx,
    b,
    e64,
    encoded,
    kept,
    m,
    n,
    transaction,
    varint,
)
from .signers import HASHES, Certificate, Key, certificate, key, pem

SUITES = {
    "SM": ("SM3", "SM2"),
    "P256": ("SHA-256", "P-256"),
    "SM3-P256": ("SM3", "P-256"),
    "SHA3-P256": ("SHA3-256", "P-256"),
    "SHA256-SM2": ("SHA-256", "SM2"),
}
"""Name -> (hash of the chain, kind of key)."""
OPERATORS = (
    ("demonstration-platform", "platform"),
    ("demonstration-court", "court"),
    ("demonstration-notary", "neutral"),
    ("demonstration-university", "neutral"),
)
"""(operator, role) of the four validators."""
PRECOMMIT = 1


# ── the chain ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Built:
    """The node's answers about one block. `paths_json[i]` and `info_json[i]` belong to transaction i."""

    block_json: bytes
    block_pb: bytes
    header_json: bytes
    header_pb: bytes
    block_hash: bytes
    txs: tuple[Tx, ...]
    info_json: tuple[bytes, ...]
    info_pb: tuple[bytes, ...]
    paths_json: tuple[bytes, ...]
    certificates_pem: bytes
    profile: Json
    validators: Json

    @property
    def tx_ids(self) -> tuple[str, ...]:
        return tuple(t.tx_id for t in self.txs)


@dataclass(frozen=True)
class Network:
    """A chain: `mode` is public_key, certificate, or cert_hash (members named by the hash of their certificate)."""

    suite: str = "SM"
    mode: str = "public_key"
    chain_id: str = "demonstration-chain"
    seed: str = "demonstration"
    contract: str = "evidence"
    operators: tuple[tuple[str, str], ...] = OPERATORS

    @property
    def hash_name(self) -> str:
        return SUITES[self.suite][0]

    def hash(self, data: bytes) -> bytes:
        return HASHES[self.hash_name](data)

    @cached_property
    def roots(self) -> tuple[Certificate, ...]:
        return tuple(
            certificate(self._key(f"root {o}"), name=f"ca.{o}", org=o, unit="root-cert") for o in self._orgs
        )

    @cached_property
    def nodes(self) -> tuple[Signer, ...]:
        return tuple(self._signer(i, "consensus") for i in range(len(self.operators)))

    @cached_property
    def client(self) -> Signer:
        return self._signer(0, "client")

    @property
    def _orgs(self) -> tuple[str, ...]:
        return tuple(f"org{i + 1}" for i in range(len(self.operators)))

    def _key(self, label: str) -> Key:
        return key(SUITES[self.suite][1], f"{self.seed} {self.chain_id} {label}")

    def _signer(self, number: int, role: str) -> Signer:
        org = self._orgs[number]
        own = self._key(f"{role} {org}")
        if self.mode == "public_key":
            return Signer(org if role == "consensus" else "public", 2, pem("PUBLIC KEY", own.spki), own)
        cert = certificate(own, name=f"{role}1.sign.{org}", org=org, unit=role, issuer=self.roots[number])
        if self.mode == "cert_hash":
            return Signer(org, 1, self.hash(cert.der), own, cert)
        return Signer(org, 0, cert.pem, own, cert)

    # ── what a court pins ─────────────────────────────────────────────────────────────────────────────────────────────

    def profile(self, **changes: Any) -> Json:
        hash_name, kind = SUITES[self.suite]
        methods = (("Evidence", "hash"), ("UpdateEvidence", "hash"), ("EvidenceBatch", "hash"))
        return {
            "id": f"{self.chain_id}",
            "title": {"zh": "演示长安链", "en": "Demonstration ChainMaker chain"},
            "operator": self.operators[0][0],
            "family": "chainmaker",
            "chain_id": self.chain_id,
            "suite": {"hash": hash_name, "signature": "SM2" if kind == "SM2" else "ECDSA-P256"},
            "consensus": "BFT",
            "path_generation": "current",
            "contracts": [
                {"name": self.contract, "method": method, "digest_param": param, "encoding": "hex-text"}
                for method, param in methods
            ],
            **changes,
        }

    def validators(self, *, to_height: int | None = None, roots_only: bool = False) -> Json:
        """`roots_only`: the court pins the organisations' roots and the quorum instead of every validator."""
        listed = [
            {
                **(
                    {"cert_sha256": s.certificate.sha256.hex()}
                    if s.certificate
                    else {"key": s.key.spki.hex()}
                ),
                "org": s.org,
                "operator": operator,
                "role": role,
                "node_name": f"node-{operator}",
            }
            for s, (operator, role) in zip(self.nodes, self.operators, strict=True)
        ]
        epoch: Json = {"from_height": 0, "to_height": to_height, "validators": [] if roots_only else listed}
        if roots_only:
            epoch["quorum"] = 2 * len(listed) // 3 + 1
        if self.mode == "public_key":
            return {"epochs": [epoch]}
        roots = [{"org": o, "pem": r.pem.decode()} for o, r in zip(self._orgs, self.roots, strict=True)]
        return {"epochs": [epoch], "org_roots": roots}

    # ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def record(
        self,
        digest: bytes | str,
        *,
        record_id: str,
        method: str = "Evidence",
        time: int = TIME,
        **result: Any,
    ) -> Tx:
        """One CMEVI transaction: `Evidence` or `UpdateEvidence` (id, hash as hex text, metadata)."""
        text = digest if isinstance(digest, str) else digest.hex()
        metadata = encoded(
            {"hashType": "file", "hashAlgorithm": self.hash_name, "username": "demonstration"}
        ).decode()
        parameters = (("id", record_id), ("hash", text), ("metadata", metadata))
        events = [("Evidence", [record_id, text, metadata])]
        return self.transaction(method, parameters, events=events, time=time, **result)

    def batch(self, digests: Sequence[bytes], *, time: int = TIME) -> Tx:
        """EvidenceBatch: many records in one transaction."""
        evidences = [{"id": f"EV-{i:04d}", "hash": d.hex(), "metadata": "{}"} for i, d in enumerate(digests)]
        return self.transaction("EvidenceBatch", (("evidences", encoded(evidences).decode()),), time=time)

    def transaction(
        self,
        method: str,
        parameters: Sequence[tuple[str, str | bytes]],
        *,
        chain_id: str | None = None,
        contract: str | None = None,
        **options: Any,
    ) -> Tx:
        """Any transaction of the client; `options` are those of `chainmaker_wire.transaction`."""
        return transaction(
            self.client,
            method,
            parameters,
            hash_name=self.hash_name,
            contract=contract or self.contract,
            chain_id=chain_id or self.chain_id,
            **options,
        )

    def configuration(self, *, nodes: Sequence[int] = (0, 1, 2, 3), consensus: int = 1, time: int = TIME) -> Tx:
        """The transaction of a configuration block: the contract returns the whole ChainConfig. `nodes`: who may vote;
        `consensus`: 0 SOLO, 1 TBFT, 3 MAXBFT, 4 RAFT, 5 DPOS."""
        listed = [self.nodes[i] for i in nodes]
        config = (
            b(1, self.chain_id)
            + b(2, "v2.3.2")
            + m(5, b(1, self.hash_name.replace("-", "")))
            + m(8, n(1, consensus) + b"".join(m(2, b(1, s.org) + b(3, f"Qm-{s.org}")) for s in listed))
            + b"".join(m(9, b(1, o) + b(2, self.roots[i].pem)) for i, o in enumerate(self._orgs) if self.mode != "public_key")
            + b"".join(
                m(10, b(1, s.info) + b(2, s.org) + b(3, "consensus") + b(4, f"Qm-{s.org}"))
                for s in listed
                if self.mode == "public_key"
            )
            # account_config{default_gas_price}, a float: node fields that say nothing of voters
            + m(18, b"\x2d\x00\x00\x80\x3f")
        )
        return self.transaction("NODE_ID_ADD", (), contract="CHAIN_CONFIG", output=config, time=time)

    # ── votes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def vote(
        self,
        node: int | Signer,
        block_hash: bytes,
        *,
        voter: str | None = None,
        height: int = 9,
        round_: int = 0,
        kind: int = PRECOMMIT,
    ) -> tuple[str, bytes, bytes]:
        """(voter, Vote message, the hash voted for)."""
        signer = self.nodes[node] if isinstance(node, int) else node
        voter = voter or f"Qm-{self.seed}-{node}"
        unsigned = n(1, kind) + b(2, voter) + n(3, height) + n(4, round_) + b(5, block_hash)
        endorsement = m(1, signer.member) + b(2, signer.sign(unsigned, self.hash_name))
        return voter, unsigned + m(6, endorsement), block_hash

    @staticmethod
    def vote_set(
        votes: Sequence[tuple[str, bytes, bytes]],
        block_hash: bytes,
        *,
        height: int = 9,
        round_: int = 0,
        kind: int = PRECOMMIT,
    ) -> bytes:
        group: dict[bytes, list[bytes]] = {}
        for voter, vote, voted in votes:
            group.setdefault(voted, []).append(m(1, b(1, voter) + m(2, vote)))
        return (
            n(1, kind)
            + n(2, height)
            + n(3, round_)
            + n(4, len(votes))
            + b(5, block_hash)
            + b"".join(m(6, b(1, voter) + m(2, vote)) for voter, vote, _ in votes)
            + b"".join(
                m(7, b(1, e64(voted)) + m(2, b"".join(entries) + n(2, len(entries))))
                for voted, entries in group.items()
            )
        )

    # ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def block(
        self,
        txs: Sequence[Tx],
        *,
        height: int = 9,
        previous: bytes = b"\x11" * 32,
        time: int = TIME + 10,
        voters: Sequence[int] = (0, 1, 3),
        round_: int = 0,
        proposer: int = 0,
        block_version: int = BLOCK_VERSION,
        votes: Mapping[str, bytes] | None = None,
        header_changes: Mapping[str, Any] | None = None,
    ) -> Built:
        """`votes`: `extra_data` as it is, instead of precommits by `voters`; `header_changes`: other values for single
        fields of the header before it is hashed and signed."""
        dag = b"".join(m(2, b"" if i == 0 else m(1, varint(i - 1))) for i in range(len(txs)))
        h: Json = {
            "block_version": block_version,
            "chain_id": self.chain_id,
            "block_height": height,
            "pre_block_hash": previous if height else b"",
            "tx_count": len(txs),
            "tx_root": self._tree([t.leaf for t in txs])[-1][0],
            "dag_hash": self.hash(dag),
            "rw_set_root": self._tree([t.rw_set_hash for t in txs])[-1][0],
            "block_timestamp": time,
            "pre_conf_height": 0,
            "consensus_args": b"",
            **(header_changes or {}),
        }
        signer = self.nodes[proposer]

        def header(block_hash: bytes, signature: bytes) -> bytes:
            return (
                n(1, h["block_version"])
                + b(3, h["chain_id"])
                + n(4, h["block_height"])
                + b(5, block_hash)
                + b(6, h["pre_block_hash"])
                + n(7, h["pre_conf_height"])
                + n(8, h["tx_count"])
                + b(9, h["tx_root"])
                + b(10, h["dag_hash"])
                + b(11, h["rw_set_root"])
                + n(12, h["block_timestamp"])
                + b(13, h["consensus_args"])
                + m(14, signer.member)
                + b(15, signature)
            )

        block_hash = self.hash(header(b"", b""))
        signature = signer.sign(block_hash, self.hash_name)
        header_pb = header(block_hash, signature)
        header_json = kept(
            **{k: e64(v) if isinstance(v, bytes) else v for k, v in h.items()},
            block_hash=e64(block_hash),
            proposer=signer.member_json,
            signature=e64(signature),
        )
        if votes is None:
            cast = [self.vote(i, block_hash, height=height, round_=round_) for i in voters]
            votes = {"TBFTAddtionalDataKey": self.vote_set(cast, block_hash, height=height, round_=round_)}
        extra = b"".join(m(1, b(1, k) + b(2, v)) for k, v in votes.items())
        block_pb = m(1, header_pb) + m(2, dag) + b"".join(m(3, t.pb) for t in txs) + m(4, extra)
        info_pb = m(1, block_pb) + b"".join(m(2, t.rw_set) for t in txs)
        block_json = {
            "block": {
                "header": header_json,
                "dag": {"vertexes": [{} if i == 0 else {"neighbors": [i - 1]} for i in range(len(txs))]},
                "txs": [t.json for t in txs],
                "additional_data": {"extra_data": {k: e64(v) for k, v in votes.items()}},
            },
            "rwset_list": [t.rw_set_json for t in txs],
        }
        levels = self._tree([t.leaf for t in txs])
        known = [s.certificate.pem for s in (self.client, *self.nodes) if s.certificate]
        return Built(
            block_json=encoded(block_json),
            block_pb=info_pb,
            header_json=encoded(header_json),
            header_pb=header_pb,
            block_hash=block_hash,
            txs=tuple(txs),
            info_json=tuple(
                encoded(
                    kept(
                        transaction=t.json,
                        block_height=height,
                        block_hash=e64(block_hash),
                        tx_index=i,
                        block_timestamp=h["block_timestamp"],
                    )
                )
                for i, t in enumerate(txs)
            ),
            info_pb=tuple(
                m(1, t.pb) + n(2, height) + b(3, block_hash) + n(4, i) + n(5, h["block_timestamp"])
                for i, t in enumerate(txs)
            ),
            paths_json=tuple(encoded([e64(s) for s in _siblings(levels, i)]) for i in range(len(txs))),
            certificates_pem=b"".join(known),
            profile=self.profile(),
            validators=self.validators(),
        )

    def _tree(self, leaves: Sequence[bytes]) -> list[list[bytes]]:
        """Parent = H(left‖right); a missing right child is the left one."""
        levels = [list(leaves)]
        while len(levels[-1]) > 1:
            below = levels[-1] if len(levels[-1]) % 2 == 0 else [*levels[-1], levels[-1][-1]]
            levels.append([self.hash(below[i] + below[i + 1]) for i in range(0, len(below), 2)])
        return levels


def _siblings(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    found = []
    for level in levels[:-1]:
        other = index ^ 1
        found.append(level[other] if other < len(level) else level[index])
        index >>= 1
    return found


def build_block(
    digests: Sequence[bytes],
    *,
    suite: str = "SM",
    mode: str = "public_key",
    chain_id: str = "demonstration-chain",
    seed: str = "demonstration",
    fillers: int = 4,
    **block: Any,
) -> Built:
    """A good block that records each digest in a transaction of its own, among `fillers` records of other files."""
    network = Network(suite=suite, mode=mode, chain_id=chain_id, seed=seed)
    others = [network.hash(b"demonstration filler %d" % i) for i in range(fillers)]
    txs = [network.record(d, record_id=f"EV-{i:04d}") for i, d in enumerate((*digests, *others))]
    return network.block(txs, **block)
