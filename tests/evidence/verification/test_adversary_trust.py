"""Trust stores that say something else than they seem to: each is refused as a whole, before it can decide anything.

The pack is the court's own, and two people approved it. What they overlooked must not become a false result.
"""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustError, TrustStore
from evidence.verification.verdict import Grade, Overall
from tests.anchor_packs import write_pack
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fisco3_exhibits as fisco

Change = Callable[[dict[str, Any]], object]
BASE = fisco.built()
PIN = {"height": 1, "hash": "ab" * 32, "basis": "independent", "recorded_at": "2026-01-01T00:00:00Z"}


def load(directory: Path, change: Change) -> TrustStore:
    pack: dict[str, Any] = {
        "profile": copy.deepcopy(BASE.profile),
        "validators": copy.deepcopy(BASE.validators),
        "checkpoints": {"checkpoints": [dict(PIN)]},
        "policy": {"accept_d": ["a"], "accept_writer_defects": [], "tsa_policies": []},
        "platforms": [{"id": "p", "title": {"zh": "平台"}, "operator": "o", "hosts": ["a.example"]}],
    }
    change(pack)
    policy, platforms = pack.pop("policy"), pack.pop("platforms")
    return TrustStore.load(write_pack(directory, chains={"c": pack}, policy=policy, platforms=platforms))


def epoch(**values: Any) -> Change:
    return lambda p: p["validators"]["epochs"][0].update(values)


def validator(**values: Any) -> Change:
    return lambda p: p["validators"]["epochs"][0]["validators"][0].update(values)


def profile(**values: Any) -> Change:
    return lambda p: p["profile"].update(values)


def suite(**values: Any) -> Change:
    return lambda p: p["profile"]["suite"].update(values)


def contract(**values: Any) -> Change:
    return lambda p: p["profile"]["contracts"][0].update(values)


def pin(**values: Any) -> Change:
    return lambda p: p["checkpoints"]["checkpoints"][0].update(values)


def epochs(*ranges: tuple[int, int | None]) -> Change:
    def change(p: dict[str, Any]) -> None:
        first = p["validators"]["epochs"][0]
        p["validators"]["epochs"] = [{**first, "from_height": a, "to_height": b} for a, b in ranges]

    return change


def a_second(change: dict[str, Any]) -> Change:
    def append(p: dict[str, Any]) -> None:
        listed = p["validators"]["epochs"][0]["validators"]
        listed.append({**listed[0], **change})

    return append


REFUSED: dict[str, Change] = {
    "quorum 0": epoch(quorum=0),
    "quorum below 0": epoch(quorum=-1),
    "quorum true": epoch(quorum=True),
    "quorum as text": epoch(quorum="3"),
    "quorum a fraction": epoch(quorum=2.5),
    "quorum beyond the set": epoch(quorum=5),
    "no validators": epoch(validators=[]),
    "weight 0": validator(weight=0),
    "weight below 0": validator(weight=-1),
    "weight a fraction": validator(weight=1.5),
    "weight as text": validator(weight="1"),
    "weight true": validator(weight=True),
    "weight beyond any chain": validator(weight=1 << 63),
    "no operator": validator(operator=None),
    "an empty operator": validator(operator=""),
    "an operator under two spellings": validator(operator="demonstration-court "),
    "a role under another spelling": validator(role="Court"),
    "a validator twice": a_second({}),
    "a validator twice under two names": a_second({"operator": "somebody", "node_name": "else"}),
    "a key in capitals": lambda p: validator(
        key=p["validators"]["epochs"][0]["validators"][0]["key"].upper()
    )(p),
    "a key cut short": validator(key="ab" * 63),
    "a key and a certificate": validator(cert_sha256="ab" * 32),
    "neither key nor certificate": validator(key=None),
    "a certificate's digest cut short": validator(key=None, cert_sha256="ab" * 31),
    "two epochs at one height": epochs((0, 10), (10, None)),
    "two open epochs": epochs((0, None), (100, None)),
    "an epoch inside another": epochs((0, 100), (50, 60)),
    "one epoch twice": epochs((0, 10), (0, 10)),
    "an epoch that ends before it begins": epochs((10, 5)),
    "an epoch that begins below 0": epochs((-1, 5)),
    "an epoch that ends at a text": epoch(to_height="99"),
    "heights true": epoch(from_height=True),
    "consensus under another spelling": profile(consensus="bft"),
    "no consensus": profile(consensus=None),
    "a flag as text": profile(accept_raw_hit="false"),
    "a flag as number": profile(accept_raw_hit=0),
    "a family under another spelling": profile(family="Fisco3"),
    "a path generation that is none": profile(path_generation="Current"),
    "a genesis hash cut short": profile(genesis_hash="ab"),
    "a hash that is none": suite(hash="SHA-9"),
    "a signature that is none": suite(signature="ECDSA"),
    "an empty identifier": suite(sm2_uid=""),
    "a chain without a name": profile(chain_id=None),
    "a member misspelt": profile(acept_raw_hit=False),
    "a member of a validator misspelt": validator(wieght=2),
    "a member of an epoch misspelt": epoch(to_hight=5),
    "a digest algorithm misspelt": contract(alg="sha256"),
    "a broken digest algorithm": contract(alg="MD5"),
    "an encoding that is none": contract(encoding="hex"),
    "a contract from below 0": contract(from_height=-5),
    "a checkpoint cut short": pin(hash="ab"),
    "a checkpoint without a hash": pin(hash=None),
    "a checkpoint of another basis": pin(basis="Independent"),
    "a checkpoint without a zone": pin(recorded_at="2026-01-01T00:00:00"),
    "a checkpoint at no date": pin(recorded_at="yesterday"),
    "two checkpoints at one height": lambda p: p["checkpoints"]["checkpoints"].append(
        {**PIN, "hash": "cd" * 32}
    ),
    "a root that is none": lambda p: p["validators"].update(org_roots=[{"org": "a", "pem": "-----BEGIN"}]),
    "a policy that is a text": lambda p: p["policy"].update(accept_d="platform"),
    "a policy of numbers": lambda p: p["policy"].update(accept_d=[1]),
    "a policy misspelt": lambda p: p["policy"].update(acept_d=[]),
    "two platforms of one id": lambda p: p["platforms"].append(dict(p["platforms"][0])),
    "hosts that are a text": lambda p: p["platforms"][0].update(hosts="a.example"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_store_that_can_be_read_in_two_ways_is_not_loaded(tmp_path: Path, fault: str) -> None:
    load(tmp_path / "good", lambda p: None)
    with pytest.raises(TrustError):
        load(tmp_path / "bad", REFUSED[fault])


def test_epochs_that_follow_one_another_are_in_order(tmp_path: Path) -> None:
    store = load(tmp_path, epochs((100, None), (0, 10), (11, 50)))
    (chain,) = store.chains
    found = [chain.epoch_at(h) for h in (0, 10, 11, 50, 51, 99, 100, 10**9)]
    assert [e.from_height if e else None for e in found] == [0, 0, 11, 11, None, None, 100, 100]


def test_a_block_that_nobody_signed(tmp_path: Path) -> None:
    """What a quorum of nothing would have allowed; the least that a pack can ask for is one signature, and it is asked for."""
    store = load(tmp_path, epoch(quorum=1))
    given = fisco.files(BASE)
    assert fisco.examine(given, store).overall is Overall.CONSISTENT
    block = json.loads(given["block.json"])
    block["signatureList"] = []
    verdict = fisco.examine({**given, "block.json": json.dumps(block).encode()}, store)
    assert verdict.overall is Overall.INCONSISTENT


def test_the_label_of_a_demonstration_cannot_be_lost(tmp_path: Path) -> None:
    for number, label in enumerate((None, 0, "", "false", "true", [], 1)):
        directory = write_pack(tmp_path / str(number), demonstration=True)
        manifest = json.loads((directory / "manifest.json").read_bytes())
        manifest["demonstration"] = label
        (directory / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(TrustError):
            TrustStore.load(directory)
        del manifest["demonstration"]
        (directory / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(TrustError):
            TrustStore.load(directory)


def _listed(directory: Path, **entry: str) -> None:
    manifest = json.loads((directory / "manifest.json").read_bytes())
    manifest["members"].append({"source": "x", "fetched_at": "x", **entry})
    (directory / "manifest.json").write_text(json.dumps(manifest))


PLACES: dict[str, Callable[[Path], object]] = {
    "a path upwards": lambda d: _listed(d, path="../secret.pem", sha256="0" * 64),
    "a path upwards and back": lambda d: _listed(d, path=f"../{d.name}/policy.json", sha256="0" * 64),
    "an absolute path": lambda d: _listed(d, path="/etc/hostname", sha256="0" * 64),
    "a path with a dot": lambda d: _listed(d, path="./policy.json", sha256="0" * 64),
    "a member twice": lambda d: _listed(d, path="policy.json", sha256="0" * 64),
    "a digest that is none": lambda d: _listed(d, path="policy.json", sha256=""),
    "a linked folder": lambda d: (d / "tsa").symlink_to(d.parent / "elsewhere", target_is_directory=True),
    "a linked folder that is listed": lambda d: ((d / "tsa").symlink_to(d.parent / "elsewhere", target_is_directory=True), _listed(d, path="tsa", sha256="0" * 64)),
    "a pipe": lambda d: os.mkfifo(d / "pipe"),
    "a pipe that is listed": lambda d: (os.mkfifo(d / "pipe"), _listed(d, path="pipe", sha256="0" * 64)),
    "a pack in a pack": lambda d: write_pack(d / "inner"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_outside_the_listed_files_is_read(tmp_path: Path, place: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "secret.pem").write_bytes(b"x")
    directory = write_pack(tmp_path / "pack")
    TrustStore.load(directory)
    PLACES[place](directory)
    with pytest.raises(TrustError):
        TrustStore.load(directory)


def test_one_node_under_two_certificates_counts_once() -> None:
    """A renewed certificate: the court lists the node twice, and the node votes under both names."""
    chain = cm.network("P256", "certificate")
    renewed = cm.network("P256", "public_key")
    assert chain.nodes[0].key.spki == renewed.nodes[0].key.spki
    block = chain.block([chain.record(chain.hash(cm.PAGE), record_id="1")], voters=(0, 1, 3))
    listed = chain.validators()["epochs"][0]["validators"]
    both = [*listed[:2], {**listed[0], "cert_sha256": None, "key": chain.nodes[0].key.spki.hex()}]
    votes = [
        chain.vote(0, block.block_hash),
        chain.vote(1, block.block_hash),
        chain.vote(renewed.nodes[0], block.block_hash, voter="again"),
    ]
    signed = chain.block(
        [chain.record(chain.hash(cm.PAGE), record_id="1")],
        votes={cm.VOTES: chain.vote_set(votes, block.block_hash)},
    )
    assert signed.block_hash == block.block_hash
    store = cm.trust(
        signed,
        validators={
            "epochs": [{"from_height": 0, "quorum": 3, "validators": both}],
            "org_roots": chain.validators()["org_roots"],
        },
    )
    verdict = cm.examine({"page.html": cm.PAGE, "block.json": signed.block_json}, store)
    assert cm.answer(verdict, "INCL.NODE_QUORUM") == cm.QUORUM
    enough = cm.trust(
        signed,
        validators={
            "epochs": [{"from_height": 0, "quorum": 2, "validators": both}],
            "org_roots": chain.validators()["org_roots"],
        },
    )
    assert cm.examine({"page.html": cm.PAGE, "block.json": signed.block_json}, enough).grade is Grade.B
