"""How fast is the WARC engine? Prints its time beside warcio, FastWARC and the bound of hashing and inflating, in one run.

The archive is made here: records of 2 KB to 200 KB, SHA-1 block and payload digests, half text, half incompressible. The bound
is what the same bytes cost when they are only inflated (by the inflater the engine uses) and hashed twice. Not a test.

All are run in turn, and compared by processor time: a busy machine takes none of it away, though it makes caches colder. The median
says what to expect, the best of all what there is without disturbance.
"""

import base64
import hashlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from evidence.verification.codecs import gzipmembers, inflate
from evidence.verification.codecs.octets import FileOctets, blocks
from evidence.verification.exhibit import Exhibit, Source
from evidence.verification.registry import Context, Format, Role
from evidence.verification.snapshots import warc
from evidence.verification.trust import TrustStore

REPEATS = 9
GOAL = 0.70
SIZE = 200_000_000
"""Bytes of records."""


def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        plain, gz = Path(folder, "made.warc"), Path(folder, "made.warc.gz")
        records = write(plain, gz)
        lines = [
            f"{records} records, {plain.stat().st_size / 1e6:.0f} MB plain, {gz.stat().st_size / 1e6:.0f} MB gzip; "
            f"inflater {inflate.ENGINE}; processor time, median (best) of {REPEATS}; goal at least {GOAL:.0%} of the bound, 1.5 × warcio"
        ]
        for path in (plain, gz):
            lines += compare(path)
    return lines


def compare(path: Path) -> list[str]:
    """Everything is measured in turn, several times over, so that a busy machine is busy for all of them."""
    programs = {}
    for arguments in (["warcio", "check"], ["fastwarc", "check", "-p"]):
        program = Path(sys.executable).with_name(arguments[0])
        programs[" ".join(arguments)] = [str(program), *arguments[1:], str(path)]
    times: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for name, action in (
            ("bound", lambda: hash_and_inflate(path)),
            ("engine", lambda: examine(path)),
            *((n, lambda command=c: run(command)) for n, c in programs.items()),
        ):
            began = processor_seconds()
            action()
            times.setdefault(name, []).append(processor_seconds() - began)
    median = {name: statistics.median(taken) for name, taken in times.items()}
    best = {name: min(taken) for name, taken in times.items()}
    size = path.stat().st_size / 1e6
    lines = [
        f"{path.name}: bound {median['bound']:.3f} ({best['bound']:.3f}) s, engine {median['engine']:.3f} ({best['engine']:.3f}) s, "
        f"{size / median['engine']:.0f} ({size / best['engine']:.0f}) MB/s = {median['bound'] / median['engine']:.0%} "
        f"({best['bound'] / best['engine']:.0%}) of the bound"
    ]
    lines += [
        f"  {name}: {median[name]:.3f} ({best[name]:.3f}) s with start-up; the engine is {median[name] / median['engine']:.2f} "
        f"({best[name] / best['engine']:.2f}) times as fast"
        for name in programs
    ]
    return lines


def processor_seconds() -> float:
    """Of this process and the programs it started: all of them use one core, and a busy machine takes none of it away."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(s.ru_utime + s.ru_stime for s in spent)


def examine(path: Path) -> None:
    source = Source.from_path(path)
    exhibit = Exhibit((source,))  # not `of`, which hashes the file: that is outside what is compared here
    context = Context(
        exhibit,
        TrustStore.empty(),
        datetime(2026, 11, 22, tzinfo=UTC),
        {source: Format("warc", Role.CONTENT, "snapshots.warc")},
    )
    findings = warc.examine([source], context).findings
    source.close()
    if any(f.reason is not None for f in findings):
        raise SystemExit(f"the engine did not pass the archive: {findings}")


def hash_and_inflate(path: Path) -> None:
    """The work nobody can save: every block hashed once as block and once as payload, gzip members inflated."""
    source = Source.from_path(path)
    octets = FileOctets(source.pread, source.size)
    if path.suffix != ".gz":
        for data in blocks(octets):
            hashlib.sha1(data)
            hashlib.sha1(data)
    at = 0
    while path.suffix == ".gz" and at < octets.size:
        inflater = inflate.fresh()
        at += gzipmembers.header_size(octets, at) or 0
        while not inflater.eof:
            block = octets.read(at, 1 << 16)
            data = inflater.decompress(block)
            at += len(block) - len(inflater.unused_data)
            hashlib.sha1(data)
            hashlib.sha1(data)
        at += 8
    source.close()


def run(command: list[str]) -> None:
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write(plain: Path, gz: Path, size: int = SIZE, *, level: int = 6) -> int:
    """Write the same records plain and as gzip members of one record each; returns how many."""
    chance = random.Random(20261122)
    words = [
        bytes(chance.choices(b"etaoinshrdlucmfwypvbgkjqxz", k=chance.randint(2, 9))) for _ in range(4000)
    ]
    pool = b" ".join(chance.choice(words) for _ in range(600_000))
    noise = chance.randbytes(4_000_000)
    written = count = 0
    with plain.open("wb") as raw, gz.open("wb") as packed:
        while written < size:
            length = int(chance.lognormvariate(10.3, 1.0)) % 200_000 + 2_000
            source = pool if count % 2 else noise
            start = chance.randrange(len(source) - length)
            record = build(count, source[start : start + length])
            raw.write(record)
            deflater = zlib.compressobj(level, zlib.DEFLATED, 31)
            packed.write(deflater.compress(record) + deflater.flush())
            written += len(record)
            count += 1
    return count


def build(number: int, body: bytes) -> bytes:
    block = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nServer: nginx\r\nDate: Sun, 22 Nov 2026 07:35:24 GMT\r\n"
        b"Cache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body
    head = (
        "WARC/1.1\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
        f"WARC-Date: 2026-11-22T07:35:24Z\r\nWARC-Target-URI: https://example.com/page/{number}\r\n"
        f"WARC-IP-Address: 192.0.2.1\r\nWARC-Block-Digest: {label(block)}\r\nWARC-Payload-Digest: {label(body)}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def label(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()
