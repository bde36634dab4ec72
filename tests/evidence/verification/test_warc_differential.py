"""Random archives through the engine, warcio and FastWARC: records of every kind in any order and number, plain and packed. Where the
three differ, one of the records must be of a kind whose difference stands in the table of explained ones."""

import random
from pathlib import Path

import pytest

from .snapshot_exhibits import members, verified
from .test_warc_oracles import KNOWN, MADE
from .warc_differences import CAUSES, ENGINE, FASTWARC, WARCIO
from .warc_exhibits import BAD, GOOD
from .warc_oracles import TOOLS, opinion, opinions

ARCHIVES = 100
WHOLE = {"empty.warc", "no_archive.warc", "warcio.warc"}
"""No single records."""
SINGLE = {"good.warc": GOOD, "bad_block.warc": BAD}
"""Where the table has two records: packed into one member they would differ for that reason."""
PARTS = {n: d for n, d in MADE.items() if n.endswith(".warc") and n not in WHOLE} | SINGLE


def archives() -> dict[str, tuple[bytes, list[str]]]:
    """Name -> (bytes, the kinds of record in it)."""
    chance = random.Random(20261122)
    found = {}
    for number in range(ARCHIVES):
        kinds = chance.choices(sorted(PARTS), k=chance.randint(1, 5))
        if chance.random() < 0.3:  # mostly honest ones
            kinds = chance.choices(["good.warc", "sha256.warc", "chunked_as_stored.warc", "coded_as_stored.warc", "revisit.warc"], k=6)
        packed = chance.random() < 0.5
        data = members(*(PARTS[k] for k in kinds)) if packed else b"".join(PARTS[k] for k in kinds)
        found[f"{number:03d}.warc{'.gz' if packed else ''}"] = (data, kinds)
    return found


def explains(kind: str, tool: str) -> bool:
    """Is there a row that says why the engine and `tool` may differ about an archive with such a record?"""
    row = KNOWN.get(kind)
    if row is None:
        return False
    engine, warcio, fastwarc, _ = row
    return engine != {WARCIO: warcio, FASTWARC: fastwarc}[tool]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], dict[str, str]]]:
    folder: Path = tmp_path_factory.mktemp("random")
    made = archives()
    for name, (data, _) in made.items():
        (folder / name).write_bytes(data)
    paths = sorted(folder.iterdir())
    said = {tool: opinions(tool, paths) for tool in TOOLS}
    return {
        p.name: (made[p.name][1], {ENGINE: opinion(verified(p, runs=1)), **{t: said[t][p.name] for t in TOOLS}}) for p in paths
    }


def test_every_difference_has_a_record_that_explains_it(judged: dict[str, tuple[list[str], dict[str, str]]]) -> None:
    unexplained = [
        (name, tool, said[ENGINE], said[tool], kinds)
        for name, (kinds, said) in judged.items()
        for tool in TOOLS
        if said[tool] != said[ENGINE] and not any(explains(k, tool) for k in kinds)
    ]
    assert unexplained == []


def test_the_engine_never_passes_what_it_fails_alone(judged: dict[str, tuple[list[str], dict[str, str]]]) -> None:
    """A record that is refuted alone is refuted in any company; what passes alone passes together."""
    alone = {k: opinion(verified((k, d), runs=1)) for k, d in PARTS.items()}
    for name, (kinds, said) in judged.items():
        if "fails" in {alone[k] for k in kinds}:
            assert said[ENGINE] == "fails", (name, kinds)
        elif {alone[k] for k in kinds} == {"passes"}:
            assert said[ENGINE] == "passes", (name, kinds)
        else:
            assert said[ENGINE] in ("open", "passes"), (name, kinds)


def test_the_comparison_sees_differences_and_agreements(judged: dict[str, tuple[list[str], dict[str, str]]]) -> None:
    """Neither all alike nor all different: the generator reaches both, for both tools."""
    for tool in TOOLS:
        same = sum(said[tool] == said[ENGINE] for _, said in judged.values())
        assert ARCHIVES // 10 < same < ARCHIVES - ARCHIVES // 10, (tool, same)
    assert {said[ENGINE] for _, said in judged.values()} == {"passes", "fails", "open"}
    assert all(row[3][0] in CAUSES for row in KNOWN.values())
