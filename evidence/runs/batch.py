"""Many exhibits in one go: every subfolder of a folder is an exhibit, verified in the jail, one line of a table each.

    python -m evidence.runs.batch [--trust DIR] [--at ISO-8601] [--workers N] FOLDER TABLE.csv

For the court's technician or an expert with ten thousand certificates. Nothing is stored beside the table; what could not be
verified has its line too and is listed at the end. Exit status: 0 all CONSISTENT, 1 some INCONSISTENT, 2 none INCONSISTENT but
some open, 64 usage, 70 when some could not be verified at all.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evidence.verification.trust import SHIPPED, TrustError, TrustStore

from .jail import FILES_MAX, Jail, JailError

USAGE, INTERNAL = 64, 70
COLUMNS = ("exhibit", "files", "overall", "grade", "not_after", "basis", "reasons", "fault")
SHOWN_EVERY = 100
"""Exhibits between two lines of progress."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the head of a cell."""


@dataclass(frozen=True)
class Row:
    """One exhibit: `overall` is empty when it could not be verified, and `fault` says why."""

    exhibit: str
    files: int
    overall: str = ""
    grade: str = ""
    not_after: str = ""
    basis: str = ""
    reasons: str = ""
    fault: str = ""


def verified(folder: Path, *, trust_dir: Path, at: datetime, workers: int) -> Iterator[Row]:
    """The exhibits below `folder` in order of name, as of the aware datetime `at`; `workers` jailed children at a time."""
    exhibits = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
    with Jail() as jail, ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[Row]] = []
        for exhibit in exhibits:
            waiting.append(pool.submit(_verified, exhibit, jail, trust_dir, at))
            if len(waiting) > 4 * workers:  # what is read ahead stays small however many there are
                yield waiting.pop(0).result()
        for row in waiting:
            yield row.result()


def _verified(folder: Path, jail: Jail, trust_dir: Path, at: datetime) -> Row:
    files = sorted(p for p in folder.rglob("*") if p.is_symlink() or p.is_file())
    try:
        named = [(p.relative_to(folder).as_posix(), p) for p in files]
        if any(p.is_symlink() for p in files):
            raise ValueError("a link; copy the file itself into the folder")
        if not 1 <= len(files) <= FILES_MAX:
            raise ValueError(f"{len(files)} files; an exhibit has 1 to {FILES_MAX}")
        result = jail.run(named, trust_dir=trust_dir, at=at)
    except (OSError, ValueError, JailError) as fault:
        return Row(folder.name, len(files), fault=f"{type(fault).__name__}: {fault}")
    if result.verdict_json is None:
        return Row(folder.name, len(files), fault=f"{result.killed}: {result.detail}")
    verdict = json.loads(result.verdict_json)
    time = verdict["time"]
    return Row(
        folder.name,
        len(files),
        overall=verdict["overall"],
        grade=verdict["grade"],
        not_after=time["not_after"] or "",
        basis=time["basis"] or "",
        reasons=" ".join(verdict["reasons"]),
    )


def write(rows: Iterable[Row], table: Path) -> tuple[Counter[str], list[Row]]:
    """Each row as soon as it is known -> how many of each verdict, and the rows without one."""
    counts: Counter[str] = Counter()
    faults: list[Row] = []
    with table.open("x", encoding="utf-8-sig", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(COLUMNS)
        for number, row in enumerate(rows, 1):
            lines.writerow([_cell(getattr(row, name)) for name in COLUMNS])
            counts[row.overall] += 1
            faults += [row] if row.fault else []
            if number % SHOWN_EVERY == 0:
                out.flush()
                print(f"{number} …", file=sys.stderr, flush=True)
    return counts, faults


def _cell(value: object) -> str:
    """Names come from the parties: unprintable characters as escapes, and nothing that a spreadsheet would carry out."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m evidence.runs.batch", description="Verify every subfolder as one exhibit.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path, help="where the table goes; it must not exist yet")
    parser.add_argument("--trust", type=Path, default=SHIPPED, metavar="DIR")
    parser.add_argument("--at", type=datetime.fromisoformat, metavar="ISO-8601")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    options = parser.parse_args(arguments)
    at = options.at or datetime.now(UTC)
    try:
        if at.tzinfo is None:
            raise ValueError("--at needs a time zone")
        if options.workers < 1:
            raise ValueError("--workers needs one at least")
        TrustStore.load(options.trust)
        rows = verified(options.folder, trust_dir=options.trust, at=at, workers=options.workers)
        counts, faults = write(rows, options.table)
    except (OSError, ValueError, TrustError) as fault:
        print(f"evidence.runs.batch: {fault}", file=sys.stderr)
        return USAGE
    for name in ("CONSISTENT", "INCONSISTENT", "INDETERMINATE"):
        print(f"{name:<14} {counts[name]}")
    print(f"not verified   {len(faults)}")
    for row in faults:
        print(f"  {_cell(row.exhibit)}: {_cell(row.fault)}")
    if faults:
        return INTERNAL
    return 1 if counts["INCONSISTENT"] else 2 if counts["INDETERMINATE"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
