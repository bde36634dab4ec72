"""Ten thousand certificates in one go, as `python -m evidence.runs.batch` takes them: each with its file and its chain proof.

Goal: within ten minutes on two cores, and every one that could not be verified listed. Every hundredth item is altered, every
hundredth has no proof, every hundredth has no file at all.
"""

import hashlib
import json
import os
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from evidence.runs import batch
from portal.demonstration import fisco3
from tests.anchor_packs import write_pack

ITEMS = int(os.environ.get("MINGJIAN_BUNDLE_ITEMS") or 10_000)
PER_BLOCK = 250
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        began = time.perf_counter()
        pack, expected = prepared(root)
        made = time.perf_counter() - began
        workers = len(os.sched_getaffinity(0))
        began = time.perf_counter()
        rows = batch.verified(root / "exhibits", trust_dir=pack, at=AT, workers=workers)
        counts, faults = batch.write(rows, root / "table.csv")
        taken = time.perf_counter() - began
    if Counter(counts) != expected:
        raise RuntimeError(f"{counts} instead of {expected}")
    told = ", ".join(f"{name or 'not verified'} {count}" for name, count in sorted(counts.items(), reverse=True))
    return [
        f"{ITEMS} exhibits made in {made:.0f} s: {told}",
        f"verified on {workers} cores in {taken:.0f} s, {ITEMS / taken:.0f} a second (goal: 10,000 within 600 s); {len(faults)} listed as not verified",
    ]


def prepared(root: Path) -> tuple[Path, Counter[str]]:
    expected: Counter[str] = Counter()
    chain: fisco3.Built | None = None
    for first in range(0, ITEMS, PER_BLOCK):
        pages = [b"<!doctype html><title>work %d</title>\n" % n for n in range(first, min(first + PER_BLOCK, ITEMS))]
        chain = fisco3.build([hashlib.sha256(p).digest() for p in pages])
        for index, page in enumerate(pages):
            number = first + index
            folder = root / "exhibits" / f"{number:05d}"
            folder.mkdir(parents=True)
            fate = {0: "INCONSISTENT", 1: "INDETERMINATE", 2: ""}.get(number % 100, "CONSISTENT")
            expected[fate] += 1
            if not fate:
                continue
            (folder / "page.html").write_bytes(page + (b"<!-- altered -->" if fate == "INCONSISTENT" else b""))
            if fate != "INDETERMINATE":
                for name, data in chain.files(index).items():
                    (folder / name).write_bytes(data)
    if chain is None:
        raise RuntimeError("no item")
    pack = write_pack(root / "pack", chains={"chain": {"profile": chain.profile, "validators": json.loads(json.dumps(chain.validators))}})
    return pack, expected
