"""The fingerprints computed on the device, against known answers and against the server's own, in node."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from .conftest import sm3

pytestmark = pytest.mark.needs("node")
MODULE = Path(settings.ROOT) / "portal" / "frontend" / "js" / "digests.js"
SCRIPT = """
import { readFileSync } from "node:fs";
import { Sha256, Sm3, digestsOf } from "%s";
const cases = JSON.parse(readFileSync(0));
const out = [];
for (const { hex, pieces } of cases) {
  const data = Uint8Array.from(Buffer.from(hex, "hex"));
  const sha256 = new Sha256(), sm3 = new Sm3();
  let at = 0;
  for (const size of pieces) { sha256.update(data.subarray(at, at + size)); sm3.update(data.subarray(at, at + size)); at += size; }
  const streamed = [sha256.hex(), sm3.hex()];
  const file = await digestsOf(new Blob([data]));
  out.push([...streamed, file.sha256, file.sm3]);
}
console.log(JSON.stringify(out));
"""

# FIPS 180-4 examples; GB/T 32905-2016 annex A; the empty message of both.
KNOWN = [
    (
        b"abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    ),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        None,
    ),
    (b"abcd" * 16, None, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    (
        b"",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    ),
    (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", None),
]


def in_node(cases: list[tuple[bytes, list[int]]]) -> list[list[str]]:
    given = json.dumps([{"hex": data.hex(), "pieces": pieces} for data, pieces in cases])
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT % MODULE.as_uri()],
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


def test_known_answers() -> None:
    for (data, sha256, own), found in zip(KNOWN, in_node([(d, [len(d)]) for d, _, _ in KNOWN]), strict=True):
        assert found[0] == found[2] == (sha256 or hashlib.sha256(data).hexdigest())
        assert found[1] == found[3] == (own or sm3(data))


def test_every_length_around_the_block_and_any_cutting() -> None:
    chance = random.Random(11)
    cases = []
    for length in [*range(0, 200), 1000, 65_535, 65_536, 300_001]:
        data = chance.randbytes(length)
        pieces, left = [], length
        while left:
            pieces.append(min(left, chance.choice([1, 3, 55, 63, 64, 65, 128, 70_000])))
            left -= pieces[-1]
        cases.append((data, pieces))
    for (data, _), found in zip(cases, in_node(cases), strict=True):
        assert found == [hashlib.sha256(data).hexdigest(), sm3(data)] * 2


def test_beyond_half_a_gibibyte_the_length_is_still_counted() -> None:
    """The bit count outgrows 32 bits at 512 MiB: the place where a careless counter breaks. Both digests count in one place."""
    script = f"""
    import {{ Sha256 }} from "{MODULE.as_uri()}";
    const piece = new Uint8Array(1 << 20), sha256 = new Sha256();
    for (let i = 0; i < 512; i++) sha256.update(piece);
    console.log(sha256.update(new Uint8Array(7)).hex());
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == hashlib.sha256(bytes((512 << 20) + 7)).hexdigest()
