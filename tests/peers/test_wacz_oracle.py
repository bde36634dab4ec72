"""The engine beside py-wacz on packages of others: every difference is one that is explained (spec snapshots §17)."""

from tests.evidence.verification.snapshot_exhibits import verified
from tests.evidence.verification.wacz_oracle import CAUSES, CRASHES, INVALID, OPEN, VALID, opinion, opinions
from tests.peers.test_snapshots import court, files

KNOWN = {
    "scoop_example.com.wacz": (VALID, INVALID, "names"),
    "scoop_noarchive.netlify.app.wacz": (VALID, INVALID, "names"),
    "valid_example_1.wacz": (VALID, INVALID, "older layout"),
    "scoop_gh-example.wacz": (OPEN, INVALID, "writer defect"),
    "warcbench_after.wacz": (OPEN, INVALID, "writer defect"),
    "warcbench_before.wacz": (OPEN, INVALID, "writer defect"),
    "warcbench_example.com.wacz": (OPEN, INVALID, "writer defect"),
    "waczsigning_ill-digest.wacz": (OPEN, CRASHES, "no manifest"),
    "a10_duplicate_entry_first_evil.wacz": (INVALID, VALID, "one name twice"),
    "a12_local_name_mismatch.wacz": (INVALID, CRASHES, "local name"),
    "a13_prefixed_polyglot.wacz": (INVALID, VALID, "prefix"),
    "a5_unlisted_dotless_file.wacz": (INVALID, VALID, "unlisted"),
    "a9_md5.wacz": (OPEN, VALID, "weak"),
}


def test_every_difference_is_explained() -> None:
    paths = [*files("wacz-real"), *files("wacz-attacks-generated")]
    theirs, store = opinions(paths), court()
    found = {p.name: (opinion(verified(p, store=store, runs=1)), theirs[p.name]) for p in paths}
    assert {n: two for n, two in found.items() if two[0] != two[1]} == {n: row[:2] for n, row in KNOWN.items()}
    assert {row[2] for row in KNOWN.values()} <= set(CAUSES)
