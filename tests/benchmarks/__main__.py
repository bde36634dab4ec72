"""All measurements, one after another: `.venv/bin/python -m tests.benchmarks [name …]`.

Each module of this folder has `measure() -> list[str]`: lines for a person, each with its peer or bound from the same run.
Nothing here is asserted; the suite never fails because a machine is slow.
"""

import importlib
import sys

MODULES = (
    "cold_start",
    "warc_engine",
    "two_digests",
    "large_memory",
    "large_wacz",
    "large_export",
    "sm2",
    "chains",
    "certificates",
    "bundle",
    "end_to_end",
    "report",
    "report_size",
)


def main(names: list[str]) -> int:
    unknown = set(names) - set(MODULES)
    if unknown:
        print(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}", file=sys.stderr)
        return 64
    for name in names or MODULES:
        print(f"\n── {name}", flush=True)
        for line in importlib.import_module(f"tests.benchmarks.{name}").measure():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
