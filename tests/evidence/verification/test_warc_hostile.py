"""Web archives meant to exhaust or confuse: limits, the memory of the jail, mutations of every bit."""

import gzip
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.verification import Verdict
from evidence.verification.codecs import inflate
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import warc_records, warc_stream
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    PAGE,
    PASSED,
    answer,
    finding,
    members,
    notes,
    record,
    sha1,
    sha256,
    verified,
)
from .warc_exhibits import BLOCK, GOOD, OK, ONE, OTHER, made, warc

# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def limited(verdict: Verdict) -> set[str]:
    found = [f for f in verdict.findings if f.reason is Reason.RESOURCE_LIMIT]
    assert all(f.bearing is Bearing.DECISIVE for f in found)
    assert verdict.overall is Overall.INDETERMINATE
    return {f.check for f in found}


def test_headers_beyond_the_limits() -> None:
    many = record(fields=[(f"X-{n}", "y") for n in range(warc_records.FIELDS_MAX)])
    assert limited(warc(many)) == {"WARC.HEADERS"}
    for fields in ([(f"X-{n}", "y") for n in range(100_000)], [("X", "y" * 100_000)]):
        verdict = warc(record(fields=fields) + OTHER)
        assert "WARC.HEADERS" in limited(verdict)
        assert "RECORDS_READ:1" in notes(verdict, "WARC.HEADERS")  # the other one is found behind it


def test_a_bomb_leaves_every_question_open() -> None:
    verdict = warc(members(GOOD, record(HTTP + b"\r\n" + bytes(64 << 20))))
    assert limited(verdict) >= {"WARC.FRAMING", "WARC.BLOCK_DIGEST", "GZ.MEMBERS"}
    assert PASSED not in {f.outcome for f in verdict.findings if f.check != "WARC.RECOGNISED"}
    assert "INTEGRITY_INCOMPLETE" in notes(verdict, "WARC.RECOGNISED")


def test_too_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.verification.snapshots.warc_survey.RECORDS_MAX", 3)
    assert "WARC.FRAMING" in limited(warc(GOOD * 4))
    together = verified(("a.warc", GOOD * 2), ("b.warc", GOOD * 2))
    assert "WARC.FRAMING" in limited(together)
    assert not limited(verified(("a.warc", GOOD * 2), ("b.warc", GOOD)))


def test_records_nested_in_lengths_cannot_cost_more_than_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every header claims all that follows: without a budget the work would grow with the square of their number."""
    greedy = record(b"", length="9" * 17, block_digest=None, payload_digest=None, end=b"\r\n")
    monkeypatch.setattr(inflate.Budget.__init__, "__defaults__", (1 << 20,))
    verdict = warc(greedy * 2000)
    assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)


FLOODS: dict[str, bytes] = {
    "version lines": GOOD + b"WARC/1.0\r\n" * 300_000,
    "headers without length": GOOD + b"WARC/1.0\r\nA:b\r\n\r\n" * 200_000,
    "version lines, compressed": gzip.compress(
        GOOD + b"".join(b"WARC/1.0\r\n%x" % random.Random(n).getrandbits(64) for n in range(100_000))
    ),
    "empty members": ONE + gzip.compress(b"") * 500_000,
    "magic of gzip": GOOD + b"junk" + b"\x1f\x8b\x08\0aaaa" * 200_000,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_floods_end_in_bounded_time(flood: str) -> None:
    """Millions of places to go on from: what was found stands, the rest is not read. (Unbounded, these take minutes.)"""
    start = time.process_time()
    verdict = warc(FLOODS[flood], runs=1)
    assert time.process_time() - start < 20
    assert verdict.overall is not Overall.CONSISTENT
    if flood == "empty members":
        assert "GZ.MEMBERS" in limited(verdict)
    else:
        assert finding(verdict, "WARC.FRAMING").outcome is FAILED or finding(verdict, "WARC.HEADERS").outcome is FAILED


def test_places_that_look_like_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_stream, "CANDIDATES_MAX", 20)
    verdict = warc(GOOD + b"junk" + b"\x1f\x8b\x08" * 30)
    assert finding(verdict, "WARC.FRAMING").outcome is FAILED


CONFINED = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
import evidence.verification as core
from evidence.verification.snapshots import wacz, warc, hashlist  # what the jail loads before it is closed
from evidence.verification.registry import FORMATS
for f in FORMATS: f.load()
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
v = core.verify(core.Exhibit.from_paths([Path(sys.argv[1])]), core.TrustStore.empty(), datetime(2026, 11, 22, tzinfo=UTC))
print(v.overall.value, ",".join(r.value for r in v.reasons))
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM:"))
print(int(peak.split()[1]) >> 10, file=sys.stderr)
"""


def confined(path: Path) -> tuple[str, int]:
    """The verdict within the limits of the jail (512 MiB of address space, 20 s), and the peak resident set in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), int(done.stderr.strip().splitlines()[-1])


def test_bombs_and_large_archives_stay_within_the_jail(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.warc.gz"
    with bomb.open("wb") as out, gzip.GzipFile(fileobj=out, mode="wb") as stream:
        stream.write(record(HTTP + b"\r\n", length=str(1 << 30), block_digest=sha1(b""))[:-4])
        for _ in range(600):
            stream.write(bytes(1 << 20))
    said, _ = confined(bomb)
    assert said.startswith("INDETERMINATE RESOURCE_LIMIT")
    large = tmp_path / "large.warc"
    body = random.Random(3).randbytes(1 << 20)
    with large.open("wb") as out:
        for n in range(60):
            out.write(record(HTTP + b"\r\n" + body * (1 + n % 6), number=n))
    said, peak = confined(large)
    assert said == "INDETERMINATE NO_POE"
    assert peak < 64, f"{peak} MiB"


# ── mutations ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sampled(data: bytes, count: int) -> list[bytes]:
    chance = random.Random(20261122)
    found = []
    for bit in chance.sample(range(8 * len(data)), count):
        mutated = bytearray(data)
        mutated[bit // 8] ^= 1 << bit % 8
        found.append(bytes(mutated))
    return found


def test_no_bit_of_a_block_can_change_unseen() -> None:
    start = GOOD.index(b"\r\n\r\n") + 4
    for bit in range(8 * start, 8 * (start + len(BLOCK))):
        mutated = bytearray(GOOD)
        mutated[bit // 8] ^= 1 << bit % 8
        assert answer(warc(bytes(mutated), runs=1), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize("build", [lambda: made(compressed=True), lambda: made(compressed=False)], ids=["gzip", "plain"])
def test_no_mutation_makes_the_engine_stumble(build: Callable[[], bytes]) -> None:
    """Flipped bits and cut ends anywhere: an answer, never an internal error, and CONSISTENT never."""
    data = build()
    for mutated in [*sampled(data, 400), *(data[:n] for n in range(0, len(data), 97))]:
        assert warc(mutated, runs=1).overall is not Overall.CONSISTENT


def test_every_bit_of_a_compressed_archive_counts() -> None:
    """Behind the member's own header no bit can change without a failed question."""
    for bit in range(80, 8 * len(ONE)):
        mutated = bytearray(ONE)
        mutated[bit // 8] ^= 1 << bit % 8
        verdict = warc(bytes(mutated), runs=1)
        if verdict.overall is not Overall.INCONSISTENT:
            # Recognised by nobody any more, or one of the bits that fill the last byte of a deflate stream.
            assert verdict.sources[0].format == "unknown" or gzip.decompress(bytes(mutated)) == GOOD, bit


def test_sha256_digests_do_not_carry_the_note_of_sha1() -> None:
    verdict = warc(record(block_digest=sha256(BLOCK), payload_digest=sha256(PAGE)))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert "SHA1_COLLISION_PRONE" not in notes(verdict, "WARC.BLOCK_DIGEST")
