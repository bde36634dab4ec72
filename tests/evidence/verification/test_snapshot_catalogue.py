"""Every question of the specification about zips, compression, web archives, packages, their signatures and the known defects of
writers (spec snapshots §2 to §6 and §11): our finding, the module that gives it, and an exhibit for each answer that it can give.

Each row can fail: where the module is made to pass the question whatever it found, the row's answers are no longer given.
"""

import base64
import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from backports import zstd

from evidence.verification import Verdict, catalogue
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import container, wacz, wacz_auth, wacz_index, wacz_logs, warc
from evidence.verification.snapshots.defects import DEFECTS
from evidence.verification.verdict import Finding, Outcome, passed

from .authority import SERVER_AUTH, TokenPlan, issue, response
from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PAGE,
    PASSED,
    members,
    notes,
    record,
    sha1,
    sha256,
    trust,
    verified,
)
from .test_arc import GOOD_ARC
from .test_wacz_auth import anonymous
from .test_wacz_logs import LOG, leaf_with, spki
from .test_zipstrict import Plan, built
from .wacz_exhibits import ARCHIVE, URL, content, doubled, manifest, package, resources, zipped
from .wacz_signing import STAMPED, by_domain, leaf, signed_package, signing
from .warc_exhibits import BAD, BLOCK, GOOD, ONE, OTHER

Answer = tuple[Outcome, Reason]
Case = tuple[Callable[[], bytes], Answer]
FORMAT, HASH = (FAILED, Reason.FORMAT_FAILURE), (FAILED, Reason.HASH_FAILURE)
UNSUPPORTED, LIMIT = (OPEN, Reason.UNSUPPORTED_FORMAT), (OPEN, Reason.RESOURCE_LIMIT)
WEAK = (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
DEFECT = (OPEN, Reason.KNOWN_WRITER_DEFECT)


@dataclass(frozen=True)
class Row:
    """`spec`: the question in the specification; `good`: an exhibit that passes it; `cases`: exhibits and the answers they get."""

    spec: str
    finding: str
    module: ModuleType
    good: Callable[[], bytes]
    cases: Sequence[Case]


def other_member(name: str, change: Callable[[bytes], bytes | None]) -> bytes:
    """A package in which one member is other than the manifest says."""
    files = content()
    about = manifest(files)
    new = change(files[name])
    files = {n: d for n, d in files.items() if n != name} | ({name: new} if new is not None else {})
    return package(files, about=about)


def listed(path: str, **changes: Any) -> bytes:
    files = content()
    entries = [{**e, **changes} if e["path"] == path else e for e in resources(files)]
    return package(files, about=manifest(files, resources=entries))


def without_records(index: Callable[[dict[str, bytes]], dict[str, bytes]]) -> bytes:
    return package(index(content()))


def plain(files: dict[str, bytes]) -> dict[str, bytes]:
    """An index whose digest is of another record."""
    line = {"url": URL, "offset": 0, "length": 10, "recordDigest": sha256(b"else"), "filename": "data.warc.gz"}
    kept = {n: d for n, d in files.items() if not n.startswith("indexes/")}
    return kept | {"indexes/index.cdxj": f"com,example)/ 20261122073524 {json.dumps(line)}\n".encode()}


def undigested(files: dict[str, bytes]) -> dict[str, bytes]:
    line = {"url": URL, "offset": 0, "length": 10, "filename": "data.warc.gz"}
    kept = {n: d for n, d in files.items() if not n.startswith("indexes/")}
    return kept | {"indexes/index.cdxj": f"com,example)/ 20261122073524 {json.dumps(line)}\n".encode()}


def signed(**changes: Any) -> bytes:
    """The signed package with fields of signedData changed (None: taken out)."""

    def change(digest: dict[str, Any]) -> None:
        for name, value in changes.items():
            digest["signedData"].pop(name, None)
            if value is not None:
                digest["signedData"][name] = value

    return signed_package(change=change)


def transplanted() -> bytes:
    return signed_package(change=lambda d: d.update(signedData=by_domain(signing(), sha256(b"another"))))


def stamped(message: bytes, **plan: Any) -> str:
    return base64.b64encode(response(TokenPlan(message, signing().tsa, when=STAMPED, **plan))).decode()


def of_leaf(**options: Any) -> Callable[[], bytes]:
    return lambda: signed_package(leaf(**options))


def elsewhere() -> bytes:
    root = issue("Another Root", ca=True)
    return signed_package(replace(signing(), chain=(issue("archive.example.org", by=root, eku=[SERVER_AUTH], eku_critical=False, dns=["archive.example.org"]), root)))


def revisit(digest: str) -> bytes:
    first = "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    return record(HTTP + b"\r\n", kind="revisit", number=9, payload_digest=digest, fields=[("WARC-Refers-To", first)])


def webrecorder() -> bytes:
    packed = gzip.compress(PAGE, mtime=0)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    head = HTTP + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    return record(head + chunks, block_digest=sha1(chunks), payload_digest=sha1(chunks))


def moved_promise() -> bytes:
    return signed_package(leaf_with(LOG, other_issuer=True))


LONG_HTTP = HTTP + b"X: " + b"y" * (256 << 10) + b"\r\n\r\nbody"
ENCRYPTED = lambda: built(Plan(b"datapackage.json", b"{}", flags=1))  # noqa: E731
BOMB = gzip.compress(record(HTTP + b"\r\n" + bytes(40 << 20)), mtime=0)

ROWS: tuple[Row, ...] = (
    Row("ZIP-01", "ZIP.STRUCTURE", container, package, [(lambda: b"prefix" + package(), FORMAT), (lambda: package() + b"x", FORMAT)]),
    Row("ZIP-02", "ZIP.NAMES", container, package, [(lambda: zipped({"../x": b"", "datapackage.json": b"{}"}), FORMAT)]),
    Row(
        "ZIP-03",
        "ZIP.DATA",
        container,
        package,
        [
            (lambda: _flipped(), HASH),
            (lambda: built(Plan(b"datapackage.json", b"{}", deflate=True, size=1)), FORMAT),
            (ENCRYPTED, UNSUPPORTED),
            (lambda: built(Plan(b"datapackage.json", b"{}", method=12)), UNSUPPORTED),
        ],
    ),
    Row("ZIP-04", "ZIP.LIMITS", container, package, [(lambda: zipped({"datapackage.json": b"{}", "x": bytes(40 << 20)}, method=zipfile.ZIP_DEFLATED), LIMIT)]),
    Row(
        "GZ-01",
        "GZ.MEMBERS",
        warc,
        lambda: ONE,
        [(lambda: ONE[:-3], (FAILED, Reason.TRUNCATED)), (lambda: ONE[:-8] + b"\0\0\0\0" + ONE[-4:], (FAILED, Reason.GZIP_CHECK_FAILURE)), (lambda: ONE + BOMB, LIMIT)],
    ),
    Row("GZ-02", "GZ.ONLY_MEMBERS", warc, lambda: ONE + bytes(99), [(lambda: ONE + b"junk", FORMAT), (lambda: ONE + GOOD, FORMAT), (lambda: ONE + gzip.compress(ONE), UNSUPPORTED)]),
    Row("GZ-03", "GZ.ALIGNED", warc, lambda: gzip.compress(GOOD + OTHER), [(lambda: gzip.compress(GOOD[:99]) + gzip.compress(GOOD[99:]), FORMAT)]),
    Row("§3 zstd", "ZSTD.FRAMES", warc, lambda: zstd.compress(GOOD), [(lambda: zstd.compress(GOOD) + zstd.compress(OTHER)[:-5], (FAILED, Reason.TRUNCATED))]),
    Row("§3 zstd", "ZSTD.ONLY_FRAMES", warc, lambda: zstd.compress(GOOD), [(lambda: zstd.compress(GOOD) + b"junk", FORMAT)]),
    Row(
        "WARC-01",
        "WARC.RECOGNISED",
        warc,
        lambda: GOOD,
        [
            (lambda: gzip.compress(ONE), UNSUPPORTED),
            (lambda: GOOD_ARC, (OPEN, Reason.NO_DIGEST)),
            (lambda: GOOD_ARC.replace(b"text/plain ", b"text/plain -", 1), FORMAT),
        ],
    ),
    Row("WARC-02", "WARC.HEADERS", warc, lambda: GOOD, [(lambda: record(version="WARC/1.0 "), FORMAT), (lambda: record(fields=[("X", "y" * 99_999)]), LIMIT)]),
    Row("WARC-03", "WARC.FRAMING", warc, lambda: GOOD, [(lambda: GOOD + b"junk", FORMAT), (lambda: GOOD[:-30], (FAILED, Reason.TRUNCATED)), (lambda: record(length="1" * 19), FORMAT)]),
    Row(
        "WARC-04",
        "WARC.DIGEST_HEADERS",
        warc,
        lambda: GOOD,
        [
            (lambda: record(block_digest="sha1:1"), (FAILED, Reason.DIGEST_MALFORMED)),
            (lambda: record(fields=[("WARC-Block-Digest", sha1(b"x"))]), (FAILED, Reason.DIGEST_AMBIGUOUS)),
            (lambda: record(block_digest="crc:00"), (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)),
        ],
    ),
    Row("WARC-05", "WARC.BLOCK_DIGEST", warc, lambda: GOOD, [(lambda: BAD, HASH), (lambda: record(block_digest="md5:" + hashlib.md5(BLOCK).hexdigest()), WEAK)]),
    Row(
        "WARC-06",
        "WARC.PAYLOAD_DIGEST",
        warc,
        lambda: GOOD,
        [
            (lambda: record(payload_digest=sha1(b"x")), HASH),
            (lambda: record(payload_digest="md5:" + hashlib.md5(PAGE).hexdigest()), WEAK),
            (lambda: record(LONG_HTTP, payload_digest=sha1(b"body")), LIMIT),
        ],
    ),
    Row("WARC-07", "WARC.REVISITS", warc, lambda: GOOD + revisit(sha1(PAGE)), [(lambda: GOOD + revisit(sha1(b"x")), HASH), (lambda: OTHER + revisit(sha1(PAGE)), (OPEN, Reason.NOT_CONTAINED))]),
    Row("WARC-08", "WARC.COVERAGE", warc, lambda: GOOD, [(lambda: record(block_digest=None, payload_digest=None), (OPEN, Reason.NO_DIGEST))]),
    Row("WACZ-01", "WACZ.CONTAINER", container, package, [(lambda: b"prefix" + package(), FORMAT), (ENCRYPTED, UNSUPPORTED)]),
    Row(
        "WACZ-02",
        "WACZ.LISTED",
        wacz,
        package,
        [
            (lambda: other_member("pages/pages.jsonl", lambda d: None), (FAILED, Reason.RESOURCE_MISSING)),
            (lambda: listed(ARCHIVE, bytes=1), FORMAT),
            (lambda: package(about=manifest(content(), resources=[*resources(content()), resources(content())[0]])), FORMAT),
            (lambda: zipped({**content(), "webarchive.yaml": b""}), (OPEN, Reason.PROOF_NOT_SUPPLIED)),
        ],
    ),
    Row(
        "WACZ-03",
        "WACZ.HASHES",
        wacz,
        package,
        [
            (lambda: other_member("pages/pages.jsonl", lambda d: d[:-2] + b" \n"), HASH),
            (lambda: listed(ARCHIVE, hash="md5:" + hashlib.md5(content()[ARCHIVE]).hexdigest()), WEAK),
            (lambda: listed(ARCHIVE, hash="sha1:" + hashlib.sha1(content()[ARCHIVE]).hexdigest()), WEAK),
        ],
    ),
    Row("WACZ-04", "WACZ.UNLISTED", wacz, package, [(lambda: package({**content(), "evil": b"x"}, about=manifest(content())), (FAILED, Reason.UNLISTED_MEMBER))]),
    Row("WACZ-05", "WARC.BLOCK_DIGEST", warc, package, [(lambda: package({ARCHIVE: members(BAD)}), HASH)]),
    Row(
        "WACZ-06",
        "WACZ.INDEX",
        wacz_index,
        package,
        [(lambda: without_records(plain), (FAILED, Reason.INDEX_MISMATCH)), (lambda: without_records(undigested), (OPEN, Reason.NO_DIGEST))],
    ),
    Row("WAUTH-01", "WAUTH.DIGEST", wacz_auth, signed_package, [(transplanted, HASH), (package, (OPEN, Reason.NOT_SIGNED)), (lambda: package(digest=None), (OPEN, Reason.NOT_SIGNED))]),
    Row("WAUTH-02", "WAUTH.FIELDS", wacz_auth, signed_package, [(lambda: signed(created="2026-11-22T07:35:31Z"), (FAILED, Reason.SIG_CONSTRAINTS_FAILURE)), (lambda: signed(x=1), UNSUPPORTED)]),
    Row(
        "WAUTH-03",
        "WAUTH.SIGNATURE",
        wacz_auth,
        signed_package,
        [
            (lambda: signed(signature=base64.b64encode(bytes(70)).decode()), (FAILED, Reason.SIG_CRYPTO_FAILURE)),
            (lambda: signed_package(leaf(key=_p521())), WEAK),
            (lambda: signed(domainCert=None), (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)),
        ],
    ),
    Row("WAUTH-04", "WAUTH.DOMAIN", wacz_auth, signed_package, [(lambda: signed(domain="example.com"), (FAILED, Reason.CERT_HOST_MISMATCH))]),
    Row(
        "WAUTH-05",
        "WAUTH.CHAIN",
        wacz_auth,
        signed_package,
        [
            (of_leaf(begin=STAMPED + timedelta(days=1)), (FAILED, Reason.NOT_YET_VALID)),
            (elsewhere, (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)),
            (of_leaf(end=STAMPED - timedelta(days=1)), (OPEN, Reason.OUT_OF_BOUNDS_NO_POE)),
            (of_leaf(eku=[]), (OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE)),
        ],
    ),
    Row(
        "WAUTH-06",
        "WAUTH.TOKEN",
        wacz_auth,
        signed_package,
        [
            (lambda: signed(timeSignature=stamped(b"another")), HASH),
            (lambda: signed(timeSignature="AAAA"), FORMAT),
            (lambda: signed(timeSignature=None, timestampCert=None), (OPEN, Reason.NO_POE)),
        ],
    ),
    Row("WAUTH-07", "WAUTH.TIME", wacz_auth, signed_package, [(lambda: signed_package(when=STAMPED - timedelta(minutes=1)), (FAILED, Reason.TIMESTAMP_ORDER_FAILURE))]),
    Row("WAUTH-09", "WAUTH.LOGS", wacz_logs, lambda: signed_package(leaf_with(LOG)), [(moved_promise, (FAILED, Reason.SIG_CRYPTO_FAILURE))]),
    Row("WRD-01", "WACZ.HASHES", wacz, package, [(lambda: listed(ARCHIVE, hash=doubled(content()[ARCHIVE])), DEFECT)]),
    Row("WRD-02", "WARC.BLOCK_DIGEST", warc, lambda: GOOD, [(webrecorder, DEFECT)]),
)
NOTES = {
    "WAUTH-08": (signed_package, "WAUTH.CHAIN", "CERT_AGE_OVER_POLICY:"),
    "WRD-03": (lambda: record(HTTP + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", payload=b"x"), "WARC.PAYLOAD_DIGEST", "PAYLOAD_DECHUNKED:1"),
    "WRD-04": (lambda: record(block_digest=sha256(BLOCK).replace("sha256", "sha-256")), "WARC.DIGEST_HEADERS", "DIGEST_LABEL_HYPHEN:1"),
    "WRD-05": (lambda: package({"raw/A:b": b"x"}), "WACZ.LISTED", "RESOURCE_NAME_PATTERN:1"),
}
"""What the specification has noted only."""
DUE = {
    *(f"ZIP-{n:02}" for n in range(1, 5)), *(f"GZ-{n:02}" for n in range(1, 4)), *(f"WARC-{n:02}" for n in range(1, 9)),
    *(f"WACZ-{n:02}" for n in range(1, 7)), *(f"WAUTH-{n:02}" for n in range(1, 10)), *(f"WRD-{n:02}" for n in range(1, 6)),
    "§3 zstd",
}  # fmt: skip


def _flipped() -> bytes:
    files = content()
    data = bytearray(package(files))
    data[data.index(files["pages/pages.jsonl"])] ^= 1
    return bytes(data)


def _p521() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP521R1())


@cache
def court() -> Any:
    s = signing()
    return trust(web=[s.root.pem], tsa=[s.tsa_root.pem], ct_logs=[spki(LOG)])


def judged(data: bytes) -> Verdict:
    return verified(("exhibit", data), store=court(), runs=1)


def answers(verdict: Verdict, check: str) -> set[tuple[Outcome, Reason | None]]:
    return {(f.outcome, f.reason) for f in verdict.findings if f.check == check}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.spec} {r.finding}")
def test_each_question_gives_each_of_its_answers(row: Row) -> None:
    assert answers(judged(row.good()), row.finding) == {(PASSED, None)}
    for build, wanted in row.cases:
        assert wanted in answers(judged(build()), row.finding), wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.spec} {r.finding}")
def test_a_question_that_always_passes_would_be_noticed(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of the row is where the answer is made: when it passes this question whatever it found, the answers are gone."""

    def lenient(maker: Callable[..., Finding]) -> Callable[..., Finding]:
        def made(check: str, *rest: Any, **named: Any) -> Finding:
            return passed(check, rest[1]) if check == row.finding else maker(check, *rest, **named)

        return made

    for name in ("failed", "indeterminate"):
        monkeypatch.setattr(row.module, name, lenient(getattr(row.module, name)))
    for build, wanted in row.cases:
        assert wanted not in answers(judged(build()), row.finding), wanted


@pytest.mark.parametrize("spec", NOTES)
def test_what_is_noted_only(spec: str) -> None:
    build, check, note = NOTES[spec]
    verdict = judged(build())
    assert any(n.startswith(note) for n in notes(verdict, check))
    assert answers(verdict, check) == {(PASSED, None)}


def test_every_question_of_the_specification_has_a_row_and_every_finding_of_ours_is_one_of_them() -> None:
    assert {r.spec for r in ROWS} | set(NOTES) == DUE
    messages = json.loads((Path(catalogue.__file__).parent / "messages" / "snapshots.json").read_bytes())["checks"]
    ours = {c for c in messages if re.match(r"(ZIP|GZ|ZSTD|WARC|WACZ|WAUTH)\.", c)}
    assert {r.finding for r in ROWS} == ours
    assert {d.number for d in DEFECTS} == {r.spec for r in ROWS if r.spec.startswith("WRD")}


def test_every_finding_stands_in_the_table_of_its_format() -> None:
    pages = Path(__file__).resolve().parents[3] / "docs" / "formats"
    text = (pages / "warc.md").read_text() + (pages / "wacz.md").read_text()
    for row in ROWS:
        if row.spec.startswith(("WRD", "WACZ-05", "§")):
            continue
        line = next((line for line in text.splitlines() if line.startswith(f"| `{row.finding}` | ")), "")
        assert f"| {row.spec} |" in line, row


def test_anonymous_keys_have_the_same_questions() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    for curve in (ec.SECP384R1(), ec.SECP256R1()):
        assert answers(judged(anonymous(curve)), "WAUTH.SIGNATURE") == {(PASSED, None)}
        broken = anonymous(curve, signature=base64.b64encode(bytes(2 * ((curve.key_size + 7) // 8))).decode())
        assert answers(judged(broken), "WAUTH.SIGNATURE") == {(FAILED, Reason.SIG_CRYPTO_FAILURE)}
