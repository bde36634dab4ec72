"""The engine beside warcio and FastWARC on archives of others: every difference is one that is explained."""

import pytest

from tests.evidence.verification.snapshot_exhibits import verified
from tests.evidence.verification.warc_differences import EDGES, WORLD, Row, differences, frozen
from tests.peers.test_snapshots import files


@pytest.mark.parametrize(("folder", "table"), [("warc-edge-generated", EDGES), ("warc-real", WORLD)], ids=["edges", "world"])
def test_every_difference_is_explained(folder: str, table: dict[str, Row]) -> None:
    paths = files(folder)
    found = differences(paths, {p.name: verified(p, runs=1) for p in paths})
    assert found == frozen(table)
