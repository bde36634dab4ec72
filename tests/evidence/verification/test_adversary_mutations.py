"""Complete good exhibits with one bit changed, and with files exchanged: none is CONSISTENT, but for the bits that bind nothing.

    MINGJIAN_MUTANTS=20000 pytest tests/evidence/verification/test_adversary_mutations.py     (bits per file; default 120)

A bit may only be without consequence when it is outside everything that is hashed or signed. Which those are stands here, and a
mutant that passes for any other reason fails the test:

- JSON members that nothing is read from, and members that may be missing (only their loss passes, never another value);
- the letters' case of hexadecimal text on a certificate and of addresses, which are read in either;
- ChainMaker: the number of gas used, which block version 2300 and later leave out of a transaction's hash;
- CMS (RFC 5652 §5.4, §11): the status around the token, the versions, the list of digest algorithms and the case of letters in the
  issuer's name (the signer is bound by the digest of its certificate).
"""

import hashlib
import itertools
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.verdict import Overall
from portal.demonstration import fisco3 as made
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fisco3_exhibits as fisco
from tests.evidence.verification.attacked import certificate, examine, sha256, store
from tests.evidence.verification.authority import response, token
from tests.evidence.verification.chainmaker_exhibits import MINE, OTHER, PAGE, built
from tests.evidence.verification.time_stamps import MESSAGE, PLAN, ROOT
from tests.evidence.verification.time_stamps import trust as stamped_trust

MUTANTS = int(os.environ.get("MINGJIAN_MUTANTS") or 120)
"""Bits changed in each file."""
Files = Mapping[str, bytes]
Path = tuple[str, ...]


@cache
def exhibits() -> Mapping[str, tuple[Files, TrustStore]]:
    statement = certificate(
        平台="demo",
        存证编号="1",
        文件名="page.html",
        文件大小=len(PAGE),
        哈希算法="SHA-256",
        文件哈希=sha256(PAGE),
        交易哈希=built().tx_ids[MINE],
        区块高度=9,
        上链时间="2026-01-01T00:00:10Z",
    )
    package = made.package(fisco.built(), [("page.html", "SHA-256", hashlib.sha256(PAGE).digest())])
    named = built("P256", "certificate")
    guomi, guomi_fisco = built("SM"), fisco.built("SM")
    return {
        "ChainMaker, whole block": ({**cm.files(built()), "certificate.json": statement}, store()),
        "ChainMaker, transaction and path": (cm.alone(built()), store()),
        "ChainMaker, protobuf": ({"page.html": PAGE, "block.pb": built().block_pb}, store()),
        "ChainMaker, certificates": ({"page.html": PAGE, "block.json": named.block_json}, cm.trust(named)),
        "ChainMaker, SM": ({"page.html": PAGE, "block.pb": guomi.block_pb}, cm.trust(guomi)),
        "FISCO": (fisco.files(fisco.built()), store()),
        "FISCO, SM": (fisco.files(guomi_fisco), fisco.trust(guomi_fisco)),
        "FISCO, package": ({"page.html": PAGE, "package.json": json.dumps(package).encode()}, store()),
        "time-stamp": ({"page.html": MESSAGE, "t.tsr": token(PLAN)}, stamped_trust(ROOT.der)),
        "time-stamp, response": ({"page.html": MESSAGE, "t.tsr": response(PLAN)}, stamped_trust(ROOT.der)),
    }


UNREAD: Mapping[str, tuple[Path, ...]] = {
    # What a certificate says beside digest, transaction and height is compared with nothing; its time is, within a day.
    "certificate.json": (("平台",), ("存证编号",), ("文件名",), ("文件大小",), ("上链时间",)),
    # The list of hashes is not in the header; it is used only where the node's path is missing.
    "block.json": (("transactions", "*"),),
    "transaction.json": (("importTime",), ("extraData",)),
    "receipt.json": (("checksumContractAddress",), ("transactionIndex",), ("message",)),
    # Where the digest stands is decided by the court's map; who made the package is not asked.
    "package.json": (
        ("evidence", "*", "location"),
        ("evidence", "*", "size"),
        ("producer",),
        ("chain", "engine"),
        ("header", "transactions", "*"),
        ("transaction", "importTime"),
        ("transaction", "extraData"),
        ("receipt", "checksumContractAddress"),
        ("receipt", "transactionIndex"),
        ("receipt", "message"),
    ),
}
_ABOUT_TRANSACTION = ("from", "to", "input", "transactionHash", "version", "effectiveGasPrice")
OPTIONAL: Mapping[str, tuple[Path, ...]] = {
    # Without one of them a certificate states less; what it still states is compared.
    "certificate.json": (("哈希算法",), ("文件哈希",), ("交易哈希",), ("区块高度",)),
    # The ledger's own copy of what is proven otherwise, and what a version-0 record does not hash.
    "block.json": (("transactions",), ("extraData",)),
    "transaction.json": (("txProof",), ("signature",), ("from",), ("version",), ("abi",)),
    "receipt.json": tuple((n,) for n in _ABOUT_TRANSACTION),
    "package.json": (
        *(("transaction", n) for n in ("txProof", "signature", "from", "version", "abi")),
        *(("receipt", n) for n in _ABOUT_TRANSACTION),
        ("header", "transactions"),
        ("header", "extraData"),
        ("evidence", "*", "location"),
    ),
}
ANY_CASE = ("文件哈希", "交易哈希", "哈希算法", "from", "to")
"""Hexadecimal text and names that are read in either case: what a certificate states, and addresses (EIP-55)."""
GAS = ("result", "contract_result", "gas_used")


def differences(a: Any, b: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, `value` or `lost`) of whatever differs; members that only `b` has are not told."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in a:
            if name in b:
                yield from differences(a[name], b[name], (*path, name))
            else:
                yield (*path, name), "lost"
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for x, y in zip(a, b, strict=True):
            yield from differences(x, y, (*path, "*"))
    elif a != b or type(a) is not type(b):
        yield path, "value"


def begins(path: Path, with_: tuple[Path, ...]) -> bool:
    return any(path[: len(w)] == w for w in with_)


def _same_letters(before: Any, after: Any, path: Path) -> bool:
    for name in path:
        before, after = before[name], after[name]
    return isinstance(before, str) and isinstance(after, str) and before.lower() == after.lower()


def json_bit_binds_nothing(name: str, before: bytes, after: bytes) -> bool:
    for path, kind in differences(json.loads(before), json.loads(after)):
        if begins(path, UNREAD.get(name, ())) or path[-3:] == GAS:
            continue
        if kind == "lost" and path in OPTIONAL.get(name, ()):
            continue
        if kind == "value" and path[-1] in ANY_CASE and _same_letters(json.loads(before), json.loads(after), path):
            continue
        return False
    return True


def token_bits(data: bytes) -> set[int]:
    """Offsets of the octets of a token that CMS leaves unsigned (see the head of this file)."""
    from asn1crypto import cms, core, tsp

    free: set[int] = set()

    def mark(part: Any, *, whole: bool = True) -> None:
        encoded = part.dump()
        at = data.index(encoded)
        free.update(
            range(at, at + len(encoded))
            if whole
            else range(at + len(encoded) - len(part.contents), at + len(encoded))
        )

    outer = core.Sequence.load(data)
    if isinstance(outer[0], core.Sequence):
        mark(tsp.TimeStampResp.load(data)["status"])
        info = tsp.TimeStampResp.load(data)["time_stamp_token"]
    else:
        info = cms.ContentInfo.load(data)
    signed = info["content"]
    signer = signed["signer_infos"][0]
    mark(signed["version"])
    mark(signed["digest_algorithms"])
    version = data.index(signer.dump()) + len(signer.dump()) - len(signer.contents)
    free.update(range(version, version + len(signer["version"].dump())))
    issuer = signer["sid"].dump()
    at = data.index(issuer)
    free.update(range(at, at + len(issuer)))
    return free


def gas_bits(data: bytes) -> set[int]:
    """Offsets of the gas numbers in a protobuf block: two octets of 157 behind their tag, in every result."""
    tag = b"\x1a\x07Success\x20"
    found: set[int] = set()
    at = data.find(tag)
    while at >= 0:
        end = at + len(tag)
        while data[end] & 0x80:
            end += 1
        found.update(range(at + len(tag) - 1, end + 1))
        at = data.find(tag, at + 1)
    return found


def binds_nothing(name: str, before: bytes, after: bytes, at: int) -> bool:
    if name.endswith(".json"):
        return json_bit_binds_nothing(name, before, after)
    return at in (
        token_bits(before) if name.endswith(".tsr") else gas_bits(before) if name.endswith(".pb") else set()
    )


@pytest.mark.parametrize("title", exhibits())
def test_no_bit_that_binds_leaves_an_exhibit_consistent(title: str) -> None:
    given, trusted = exhibits()[title]
    assert examine(dict(given), trusted).overall is Overall.CONSISTENT
    chance = random.Random(title)
    survived = 0
    for name, data in given.items():
        for _ in range(MUTANTS):
            at, bit = chance.randrange(len(data)), chance.randrange(8)
            mutant = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            if examine({**given, name: mutant}, trusted).overall is Overall.CONSISTENT:
                survived += 1
                assert binds_nothing(name, data, mutant, at), (name, at, bit, data[max(0, at - 40) : at + 40])
    assert survived < MUTANTS * len(given) / 3  # that a test can fail: most bits bind


def test_not_one_bit_of_content_can_change() -> None:
    """Exhaustively, and the same for a byte more or less."""
    given, trusted = exhibits()["FISCO"]
    for at, bit in itertools.product(range(len(PAGE)), range(8)):
        mutant = PAGE[:at] + bytes([PAGE[at] ^ 1 << bit]) + PAGE[at + 1 :]
        assert examine({**given, "page.html": mutant}, trusted).overall is Overall.INCONSISTENT
    for other in (
        PAGE + b"\n",
        PAGE[:-1],
        PAGE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PAGE,
        b"",
        PAGE + PAGE,
    ):
        assert examine({**given, "page.html": other}, trusted).overall is Overall.INCONSISTENT


# ── files exchanged between exhibits, blocks and chains ───────────────────────────────────────────────────────────────


def _chainmaker(
    seed: str, height: int, *, chain_id: str = "demonstration-chain", content: bytes = OTHER
) -> Files:
    chain = cm.Network(suite="P256", mode="public_key", seed=seed, chain_id=chain_id)
    records = [
        chain.record(chain.hash(d), record_id=str(i)) for i, d in enumerate((b"a", content, b"c", b"d", b"e"))
    ]
    block = chain.block(records, height=height)
    return {**cm.alone(block), "page.html": content, "path.json": block.paths_json[MINE]}


SWAPS: dict[str, Callable[[], tuple[Files, Files, TrustStore]]] = {
    "another block of the chain": lambda: (cm.alone(built()), _chainmaker("demonstration", 10), store()),
    "the same height of another chain of the same name": lambda: (cm.alone(built()), _chainmaker("stranger", 9), store()),
    "another chain": lambda: (cm.alone(built()), _chainmaker("demonstration", 9, chain_id="other"), store()),
    "another record of the block": lambda: (fisco.files(fisco.built()), fisco.files(fisco.built(), page=OTHER, index=1), store()),
    "another block of a FISCO chain": lambda: (fisco.files(fisco.built()), fisco.files(fisco.built(number=1300, timestamp=1_780_000_000_000), page=OTHER, index=1), store()),
    "another FISCO chain": lambda: (fisco.files(fisco.built()), fisco.files(fisco.built(seed="stranger"), page=OTHER, index=1), store()),
}  # fmt: skip


@pytest.mark.parametrize("swap", SWAPS)
def test_no_mixture_of_two_exhibits_is_consistent(swap: str) -> None:
    """Every way to take each file from the one or from the other, but for all of one."""
    mine, other, trusted = SWAPS[swap]()
    assert mine.keys() == other.keys()
    names = sorted(n for n in mine if mine[n] != other[n])
    assert len(names) >= 3
    assert examine(dict(mine), trusted).overall is Overall.CONSISTENT
    for count in range(1, len(names)):
        for taken in itertools.combinations(names, count):
            mixed = {**mine, **{n: other[n] for n in taken}}
            assert examine(mixed, trusted).overall is not Overall.CONSISTENT, taken


def test_no_pair_of_exhibits_lends_the_other_its_content() -> None:
    for (a, (first, trusted)), (b, (second, _)) in itertools.permutations(exhibits().items(), 2):
        if first["page.html"] == second["page.html"]:
            continue
        assert (
            examine({**first, "page.html": second["page.html"]}, trusted).overall is not Overall.CONSISTENT
        ), (a, b)
        both = {**first, **{f"x {n}": d for n, d in second.items()}, "x page.html": b"neither"}
        assert examine(both, trusted).overall is not Overall.CONSISTENT, (a, b)
