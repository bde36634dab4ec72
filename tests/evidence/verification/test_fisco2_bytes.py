"""FISCO BCOS 2: every byte of a package, damaged answers, and hostile shapes."""

import copy
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evidence.verification import Source, TrustStore
from evidence.verification.chains import fisco2 as engine
from evidence.verification.verdict import Overall
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification.fisco2_exhibits import (
    built,
    encode,
    package,
)
from tests.evidence.verification.fisco3_exhibits import (
    PAGE,
    SUITES,
    examine,
    findings,
    trust,
)

Json = dict[str, Any]
DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def stores() -> dict[str, TrustStore]:
    return {suite: trust(built(suite)) for suite in SUITES}


FREE = {
    r"": "blanks between the members: the same JSON",
    r"evidence\.0\.(name|size|certificate_no)": "a name on the package; the file is told by its digest",
    r"evidence\.0\.location(\..*)?": "where the producer thinks the digest stands; the court's own map decides",
    r"chain\.engine": "the node's version; only one before 2.2.0 says anything",
    r"transaction\.transaction\.(blockHash|blockNumber|transactionIndex|from)": "not hashed; compared when there",
    r"transaction\.transaction\.signature\.signature": "r‖s‖v once more; compared when there",
    r"receipt\.transactionReceipt\.(blockHash|blockNumber|transactionIndex|transactionHash|from|to|input|statusMsg)": (
        "not hashed; compared when there (statusMsg is not read)"
    ),
}
"""Members that may change, or lose their name, without any effect: pattern of the path -> why nothing hangs on them."""


def scalars(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from scalars(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from scalars(inner, f"{path}.{number}")
    else:
        yield path, value


def campaign(suite: str, *, step: int, seed: int) -> tuple[int, dict[str, int]]:
    """Every `step`th byte of a package changed -> how many runs, and which members changed where it stayed CONSISTENT.

    Each byte becomes another hex digit (or, every third time, any other byte): what reads like a value, and what does not.
    """
    chain = fisco2.build([DIGEST], suite=suite, others=1, links=0)
    for receipt in chain.outcomes:
        receipt["statusMsg"] = "None"
    store = trust(chain)
    data = encode(package(chain, [("page.html", "SHA-256", DIGEST)]))
    assert examine({"page.html": PAGE, "p.json": data}, store).overall is Overall.CONSISTENT
    before = dict(scalars(json.loads(data)))
    draw = random.Random(seed)
    runs, passed = 0, dict[str, int]()
    for at in range(draw.randrange(step), len(data), step):
        new = draw.choice([c for c in (b"0123456789abcdef" if draw.randrange(3) else bytes(range(256))) if c != data[at]])
        changed = data[:at] + bytes([new]) + data[at + 1 :]
        verdict = examine({"page.html": PAGE, "p.json": changed}, store)
        runs += 1
        assert not findings(verdict, "ENGINE.RUN"), (at, new)
        if verdict.overall is not Overall.CONSISTENT:
            continue
        after = dict(scalars(json.loads(changed)))
        touched = {p for p in before.keys() | after.keys() if before.get(p, None) != after.get(p, None) or (p in before) != (p in after)}
        for path in sorted(touched & before.keys()) or [""]:
            passed[path] = passed.get(path, 0) + 1
    return runs, passed


@pytest.mark.parametrize("suite", SUITES)
def test_no_byte_of_a_package_can_change_and_matter(suite: str) -> None:
    runs, passed = campaign(suite, step=11, seed=20261122)
    assert runs > 500
    unexplained = {path for path in passed if not any(re.fullmatch(pattern, path) for pattern in FREE)}
    assert not unexplained


STRANGE: tuple[Any, ...] = (None, [], {}, "", "0x", "0x0", 0, -1, 1 << 300, True, 1.5, "x" * 300, [[]], [{}], {"left": []}, "\u0000")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every value in a document, from the outermost in."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))


def test_a_value_of_another_kind_anywhere() -> None:
    """Each value of a package, large or small, replaced by one of another kind: never CONSISTENT but for what is free, never a fault."""
    chain = fisco2.build([DIGEST], others=1)
    store = trust(chain)
    good = package(chain, [("page.html", "SHA-256", DIGEST)])
    draw = random.Random(6)
    for path in places(good):
        for strange in draw.sample(STRANGE, 4):
            changed: Any = {"": copy.deepcopy(good)}
            holder = changed
            for key in ("", *path[:-1]) if path else ():
                holder = holder[key]
            before, holder[path[-1] if path else ""] = holder[path[-1] if path else ""], strange
            verdict = examine({"page.html": PAGE, "p.json": json.dumps(changed[""]).encode()}, store)
            assert not findings(verdict, "ENGINE.RUN"), (path, strange)
            if verdict.overall is Overall.CONSISTENT and strange != before:
                named = ".".join(map(str, path))
                spelt_otherwise = (before, strange) in SAME
                assert spelt_otherwise or any(re.fullmatch(pattern, named) for pattern in FREE) or named in ABSENT, (path, strange)


SAME = (("0x0", 0), ("0x", ""))
"""Two spellings of one value."""
ABSENT = {"receipt.transactionReceipt.contractAddress"}
"""Nothing there stands for the zero address."""


@pytest.mark.parametrize("suite", SUITES)
def test_random_damage_never_passes_and_never_breaks(suite: str, stores: dict[str, TrustStore]) -> None:
    """Cut, doubled and swapped pieces of the three answers: whatever comes of it, it is a verdict, and not CONSISTENT."""
    draw = random.Random(6)
    chain = built(suite)
    good = chain.files()
    meaning = {n: json.loads(d) for n, d in good.items() if n.endswith(".json")}
    for _ in range(120):
        name = draw.choice(sorted(meaning))
        data = bytearray(good[name])
        a, b = sorted(draw.randrange(len(data)) for _ in range(2))
        how = draw.randrange(3)
        if how == 0:
            del data[a : min(b, a + 40)]
        elif how == 1:
            data[a:a] = data[a : min(b, a + 40)]
        else:
            data[a], data[b] = data[b], data[a]
        verdict = examine({**good, name: bytes(data)}, stores[suite])
        assert not findings(verdict, "ENGINE.RUN")
        if verdict.overall is Overall.CONSISTENT:
            before, after = dict(scalars(meaning[name])), dict(scalars(json.loads(bytes(data))))
            lost = {p.split(".")[-1] for p in before if before[p] != after.get(p)}
            assert lost <= {"blockHash", "blockNumber", "from", "to", "input", "transactionHash", "transactionIndex", "signature"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"transaction": {}, "txProof": [{"left": ["00"] * 2000, "right": []}]},
        lambda: {"transaction": {}, "txProof": [{"left": [], "right": []}] * 2000},
        lambda: {"transactionsRoot": "0x", "dbHash": "0x", "sealerList": ["00"] * 2000},
        lambda: {"transactionReceipt": {"logs": [{}] * 5000, "logsBloom": "0x"}, "receiptProof": []},
        lambda: {"transactionsRoot": 1, "dbHash": [], "sealerList": {}},
        lambda: {"transaction": {"nonce": [], "signature": 3, "input": {}}, "txProof": 7},
    ],
)
def test_hostile_shapes_end_in_a_finding(make: Callable[[], Json]) -> None:
    data = json.dumps(make()).encode()
    assert engine.sniff(Source.from_bytes("x.json", data)) in (0, 90)
    verdict = examine({"page.html": PAGE, "x.json": data}, trust(None))
    assert verdict.overall is not Overall.CONSISTENT
    assert not findings(verdict, "ENGINE.RUN")
