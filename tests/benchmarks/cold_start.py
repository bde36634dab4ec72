"""Cold start of the command-line door over a small exhibit, beside the bare interpreter (goal < 300 ms)."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 7


def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "note.txt"
        file.write_bytes(b"evidence\n")
        door = _best([sys.executable, "-m", "evidence.verification", "--json", str(file)], expected=2)
    bare = _best([sys.executable, "-c", "pass"], expected=0)
    return [f"door {door * 1000:.0f} ms, bare interpreter {bare * 1000:.0f} ms (best of {ROUNDS}; goal < 300 ms)"]


def _best(command: list[str], *, expected: int) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        times.append(time.perf_counter() - start)
        if done.returncode != expected:
            raise RuntimeError(done.stderr.decode())
    return min(times)
