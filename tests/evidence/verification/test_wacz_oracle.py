"""The engine beside py-wacz on packages made here: every difference is one that is explained (spec snapshots §17)."""

import hashlib
import json
from pathlib import Path

from .snapshot_exhibits import members, record, verified
from .test_zipstrict import Plan, built
from .wacz_exhibits import by_py_wacz, unzipped, zipped
from .wacz_oracle import CAUSES, CRASHES, INVALID, OPEN, VALID, opinion, opinions

BASE = unzipped(by_py_wacz(members(record())))
"""What py-wacz writes; what is built here it would refuse for the shape of its page list."""
PAGES = "pages/pages.jsonl"


def changed(files: dict[str, bytes | None], *, listed: dict[str, str] | None = None) -> bytes:
    """The package with members replaced (None: taken out), and digests of the manifest replaced, which its digest file follows."""
    about = json.loads(BASE["datapackage.json"])
    for entry in about["resources"]:
        entry["hash"] = (listed or {}).get(entry["path"], entry["hash"])
    data = json.dumps(about).encode() if listed else BASE["datapackage.json"]
    digest = json.dumps({"path": "datapackage.json", "hash": "sha256:" + hashlib.sha256(data).hexdigest()}).encode()
    everything = {**BASE, "datapackage.json": data, "datapackage-digest.json": digest, **files}
    return zipped({n: d for n, d in everything.items() if d is not None})


ARCHIVE = next(n for n in BASE if n.startswith("archive/"))
MADE = {
    "py-wacz.wacz": zipped(BASE),
    "changed.wacz": changed({ARCHIVE: members(record(number=7))}),
    "missing.wacz": changed({ARCHIVE: None}),
    "unlisted.wacz": changed({"archive/more": b"x"}),
    "unlisted_script.wacz": changed({"more.js": b"x"}),
    "md5.wacz": by_py_wacz(members(record()), "--hash-type", "md5"),
    "sha512_beside.wacz": changed({}, listed={PAGES: "sha512:" + hashlib.sha512(BASE[PAGES]).hexdigest()}),
    "prefix.wacz": b"%PDF-1.4\n" + zipped(BASE),
    "twice.wacz": built(Plan(PAGES.encode(), b"evil"), *(Plan(n.encode(), d) for n, d in BASE.items())),
    "cut.wacz": zipped(BASE)[:-30],
}
KNOWN = {
    "unlisted.wacz": (INVALID, VALID, "unlisted"),
    "md5.wacz": (OPEN, INVALID, "own digest file"),
    "prefix.wacz": (INVALID, VALID, "prefix"),
    "twice.wacz": (INVALID, VALID, "one name twice"),
    "sha512_beside.wacz": (VALID, INVALID, "own algorithm"),
    "cut.wacz": (INVALID, CRASHES, "no zip"),
}


def test_every_difference_is_explained(tmp_path: Path) -> None:
    for name, data in MADE.items():
        (tmp_path / name).write_bytes(data)
    paths = sorted(tmp_path.iterdir())
    theirs = opinions(paths)
    found = {p.name: (opinion(verified(p, runs=1)), theirs[p.name]) for p in paths}
    assert {n: two for n, two in found.items() if two[0] != two[1]} == {n: row[:2] for n, row in KNOWN.items()}
    assert found["py-wacz.wacz"] == (VALID, VALID)
    assert {row[2] for row in KNOWN.values()} <= set(CAUSES)
