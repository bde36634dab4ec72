"""WACZ packages: what py-wacz writes passes, the package must hold exactly what it lists, defects are told from changes."""

import gzip
import hashlib
import json
import random
import zipfile
from typing import Any

import pytest

from evidence.verification import Verdict
from evidence.verification.codecs import inflate
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import wacz_index, wacz_manifest
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PASSED,
    answer,
    asked,
    finding,
    members,
    notes,
    record,
    sha1,
    sha256,
    trust,
    verified,
)
from .test_zipstrict import Plan, built
from .wacz_exhibits import (
    ARCHIVE,
    URL,
    by_py_wacz,
    content,
    doubled,
    manifest,
    package,
    resources,
    unzipped,
    zipped,
)

OK = (PASSED, None)
HASH = (FAILED, Reason.HASH_FAILURE)
QUESTIONS = {"WACZ.CONTAINER", "WACZ.LISTED", "WACZ.HASHES", "WACZ.UNLISTED", "WACZ.INDEX", "WAUTH.DIGEST"}


def wacz(data: bytes, **options: Any) -> Verdict:
    return verified(("page.wacz", data), **options)


def changed(name: str, data: bytes | None, **options: Any) -> bytes:
    """A package in which one member is other than its manifest says; None takes it out."""
    files = content()
    about = manifest(files)
    files = {n: d for n, d in files.items() if n != name}
    if data is not None:
        files[name] = data
    return package(files, about=about, **options)


# ── what passes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_of_py_wacz_passes_every_question_and_is_unsigned() -> None:
    archive = members(record(), record(HTTP + b"\r\nother", number=2, uri=URL + "2"))
    verdict = wacz(by_py_wacz(archive, pages=[URL, URL + "2"]))
    assert QUESTIONS <= asked(verdict)
    assert {f.check for f in verdict.findings if f.outcome is not PASSED} == {"WAUTH.DIGEST"}
    assert answer(verdict, "WAUTH.DIGEST") == (OPEN, Reason.NOT_SIGNED)
    assert (verdict.overall, verdict.grade.value, verdict.walks) == (Overall.INDETERMINATE, "E", ())
    assert {"INTEGRITY_INTACT", "SIGNER_NONE"} <= set(notes(verdict, "WACZ.CONTAINER"))
    assert "PAGES_LISTED:2" in notes(verdict, "WACZ.INDEX")


def test_the_builder_builds_what_passes() -> None:
    verdict = wacz(package())
    assert {f.check for f in verdict.findings if f.outcome is not PASSED} == {"WAUTH.DIGEST"}


def test_plain_archives_and_several_archives_and_revisits_across_them() -> None:
    first = "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    again = record(
        HTTP + b"\r\n", kind="revisit", number=5, payload_digest=sha1(b"x"), fields=[("WARC-Refers-To", first)]
    )
    files = {"archive/a.warc": record(HTTP + b"\r\nx"), "archive/b.warc.gz": members(again)}
    verdict = wacz(package(files))
    assert answer(verdict, "WARC.REVISITS", subject="archive/b.warc.gz") == OK
    assert answer(verdict, "WARC.BLOCK_DIGEST", subject="archive/a.warc") == OK
    assert {"WACZ.INDEX"} & asked(verdict) == set()


def test_the_older_dialect_with_bare_hex() -> None:
    files = content()
    listed = [
        {"path": p, "stats": {"hash": hashlib.sha256(d).hexdigest(), "bytes": len(d)}, "hashing": "sha256"}
        for p, d in files.items()
    ]
    about = manifest(files, resources=listed, wacz_version="1.0.0", created=None, software=None)
    assert answer(wacz(package(files, about=about, digest=None)), "WACZ.HASHES") == OK
    listed[0]["stats"]["hash"] = "0" * 64  # type: ignore[index]
    about = manifest(files, resources=listed, wacz_version="1.0.0")
    assert answer(wacz(package(files, about=about)), "WACZ.HASHES") == HASH


def test_the_draft_without_a_version() -> None:
    verdict = wacz(package(wacz_version=None, profile="wacz"))
    assert answer(verdict, "WACZ.HASHES") == OK
    assert "DIALECT:1.2.0" in notes(verdict, "WACZ.LISTED")


def test_without_a_manifest_only_the_archives_speak() -> None:
    verdict = wacz(zipped({**content(), "webarchive.yaml": b"pages: []\n"}))
    assert answer(verdict, "WACZ.LISTED") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert not {"WACZ.HASHES", "WACZ.UNLISTED"} & asked(verdict)


def test_an_archive_deflated_in_the_zip_is_read_and_noted() -> None:
    files = content()
    verdict = wacz(zipped({**files, "datapackage.json": manifest(files)}, method=zipfile.ZIP_DEFLATED))
    assert answer(verdict, "WACZ.HASHES") == answer(verdict, "WARC.BLOCK_DIGEST") == answer(verdict, "WACZ.INDEX") == OK
    assert f"ARCHIVE_NOT_STORED:{ARCHIVE}" in notes(verdict, "WACZ.LISTED")


def test_names_outside_the_pattern_are_noted_only() -> None:
    files = {"raw/response_2026-11-22T07:35:24Z_sha256:8ca0": b"x", **content()}
    verdict = wacz(package(files))
    assert "RESOURCE_NAME_PATTERN:1" in notes(verdict, "WACZ.LISTED") and answer(verdict, "WACZ.HASHES") == OK
    assert not any(n.startswith("RESOURCE_NAME") for n in notes(wacz(package()), "WACZ.LISTED"))


def test_directories_are_no_members() -> None:
    files = content()
    data = zipped({"archive/": b"", **files, "datapackage.json": manifest(files)})
    assert answer(wacz(data), "WACZ.UNLISTED") == OK


def test_recognition_is_by_content() -> None:
    for name in ("page.wacz", "page.zip", "x"):
        assert verified((name, package())).sources[0].format == "wacz"
    assert verified(("page.wacz", zipped({"a.txt": b"x"}))).sources[0].format == "forensic-package"
    assert verified(("page.wacz", b"PK\3\4 no zip")).sources[0].format == "forensic-package"
    assert verified(("page.wacz", b"<html>")).sources[0].format == "unknown"


# ── exactly what is listed ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listed_file_that_is_missing() -> None:
    verdict = wacz(changed("pages/pages.jsonl", None))
    assert answer(verdict, "WACZ.LISTED") == (FAILED, Reason.RESOURCE_MISSING)
    assert "MISSING:pages/pages.jsonl" in notes(verdict, "WACZ.LISTED")
    assert "INTEGRITY_INCOMPLETE" in notes(verdict, "WACZ.CONTAINER")
    assert verdict.overall is Overall.INCONSISTENT


def test_a_file_that_nobody_listed() -> None:
    for name in ("archive/evil", "evil.js", "datapackage.json.bak", "pages/x/y"):
        verdict = wacz(changed(name, b"x"))
        assert answer(verdict, "WACZ.UNLISTED") == (FAILED, Reason.UNLISTED_MEMBER)
        assert f"MEMBER:{name}" in notes(verdict, "WACZ.UNLISTED")


def test_a_file_of_another_size_or_content() -> None:
    data = content()["pages/pages.jsonl"]
    verdict = wacz(changed("pages/pages.jsonl", data + b"\n"))
    assert answer(verdict, "WACZ.LISTED") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WACZ.HASHES") == HASH
    same_size = wacz(changed("pages/pages.jsonl", data[:-2] + b" \n"))
    assert answer(same_size, "WACZ.LISTED") == OK
    found = finding(same_size, "WACZ.HASHES")
    assert (found.outcome, found.expected) == (FAILED, "SHA-256 " + hashlib.sha256(data).hexdigest())
    assert "INTEGRITY_ALTERED" in notes(same_size, "WACZ.CONTAINER")


def test_every_bit_of_a_listed_file_counts() -> None:
    data = content()["pages/pages.jsonl"]
    for bit in range(8 * len(data)):
        mutated = bytearray(data)
        mutated[bit // 8] ^= 1 << bit % 8
        assert answer(wacz(changed("pages/pages.jsonl", bytes(mutated)), runs=1), "WACZ.HASHES") == HASH


def test_a_path_listed_twice() -> None:
    files = content()
    twice = [*resources(files), resources(files)[0]]
    verdict = wacz(package(files, about=manifest(files, resources=twice)))
    assert answer(verdict, "WACZ.LISTED") == (FAILED, Reason.FORMAT_FAILURE)


def with_hash(path: str, text: object) -> bytes:
    files = content()
    listed = resources(files)
    for entry in listed:
        if entry["path"] == path:
            entry["hash"] = text
    return package(files, about=manifest(files, resources=[{k: v for k, v in e.items() if v is not None} for e in listed]))


def test_each_entry_is_read_under_its_own_algorithm() -> None:
    data = content()["pages/pages.jsonl"]
    for name in ("sha256", "sha-256", "SHA256", "sha384", "sha512", "sm3"):
        h = hashlib.new(name.lower().replace("-", ""), data).hexdigest()
        assert answer(wacz(with_hash("pages/pages.jsonl", f"{name}:{h}")), "WACZ.HASHES") == OK
    # The digest of one algorithm under the name of another is not right.
    sm3 = hashlib.new("sm3", data).hexdigest()
    assert answer(wacz(with_hash("pages/pages.jsonl", "sha256:" + sm3)), "WACZ.HASHES") == HASH


@pytest.mark.parametrize("name", ["md5", "sha1"])
def test_broken_digests_never_pass(name: str) -> None:
    data = content()["pages/pages.jsonl"]
    right = wacz(with_hash("pages/pages.jsonl", f"{name}:{hashlib.new(name, data).hexdigest()}"))
    found = finding(right, "WACZ.HASHES")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE, Bearing.DECISIVE)
    wrong = wacz(with_hash("pages/pages.jsonl", f"{name}:{hashlib.new(name, b'x').hexdigest()}"))
    assert answer(wrong, "WACZ.HASHES") == HASH


def test_the_md5_packages_of_py_wacz() -> None:
    verdict = wacz(by_py_wacz(members(record()), "--hash-type", "md5"))
    assert answer(verdict, "WACZ.HASHES") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    assert "INTEGRITY_INTACT" not in notes(verdict, "WACZ.CONTAINER")


def test_digests_that_are_missing_unknown_or_malformed() -> None:
    for text, wanted in (
        (None, (OPEN, Reason.NO_DIGEST)),
        ("sha224:" + "0" * 56, (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)),
        ("0" * 64, (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)),
        ("sha256:00", (FAILED, Reason.DIGEST_MALFORMED)),
        ("sha256:" + "g" * 64, (FAILED, Reason.DIGEST_MALFORMED)),
        ("sha256: " + "0" * 64, (FAILED, Reason.DIGEST_MALFORMED)),
    ):
        assert answer(wacz(with_hash("pages/pages.jsonl", text)), "WACZ.HASHES") == wanted
    assert answer(wacz(package({}, resources=[])), "WACZ.HASHES") == (OPEN, Reason.NO_DIGEST)


BAD_MANIFESTS = {
    "not JSON": b"{",
    "a list": b"[]",
    "resources no list": b'{"resources": {}}',
    "a resource without path": b'{"resources": [{}]}',
    "a path that is no text": b'{"resources": [{"path": 1}]}',
    "a size below zero": b'{"resources": [{"path": "a", "bytes": -1}]}',
    "a size that is true": b'{"resources": [{"path": "a", "bytes": true}]}',
    "a size with a fraction": b'{"resources": [{"path": "a", "bytes": 1.5}]}',
    "a hash that is no text": b'{"resources": [{"path": "a", "hash": 5}]}',
    "one name twice": b'{"resources": [], "resources": []}',
    "byte-order mark": b'\xef\xbb\xbf{"resources": []}',
    "UTF-16": '{"resources": []}'.encode("utf-16"),
    "nested too deeply": b'{"resources": ' + b"[" * 100 + b"]" * 100 + b"}",
    "not a number": b'{"resources": [], "x": NaN}',
}


@pytest.mark.parametrize("about", BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_manifests_that_cannot_be_read(about: bytes) -> None:
    verdict = wacz(package(about=about, digest=None))
    assert answer(verdict, "WACZ.LISTED") == (FAILED, Reason.FORMAT_FAILURE)
    assert "WACZ.HASHES" not in asked(verdict)


def test_a_manifest_that_lists_nothing_is_missing_not_wrong() -> None:
    assert answer(wacz(package(about=b"{}", digest=None)), "WACZ.LISTED") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


# ── the container ─────────────────────────────────────────────────────────────────────────────────────────────────────

UNSOUND = {
    "a prefix": lambda: b"%PDF-1.4\n" + package(),
    "one name twice": lambda: built(
        Plan(b"archive/a.warc", b"evil"), Plan(b"archive/a.warc", record()), Plan(b"datapackage.json", b'{"resources":[]}')
    ),
    "two names for one member": lambda: built(
        Plan(b"archive/a.warc", record(), local_name=b"archive/A.warc"), Plan(b"datapackage.json", b"{}")
    ),
    "a way out": lambda: zipped({**content(), "../../evil": b"x", "datapackage.json": manifest(content())}),
}


@pytest.mark.parametrize("build", UNSOUND.values(), ids=UNSOUND)
def test_in_an_unsound_container_nothing_inside_can_speak(build: Any) -> None:
    verdict = wacz(build())
    assert answer(verdict, "WACZ.CONTAINER") == (FAILED, Reason.FORMAT_FAILURE)
    assert verdict.sources[0].format == "wacz" and verdict.overall is Overall.INCONSISTENT
    assert asked(verdict) <= {"WACZ.CONTAINER", "ZIP.STRUCTURE", "ZIP.NAMES", "ZIP.DATA", "ZIP.LIMITS"}


def test_a_wrong_check_sum_in_the_zip() -> None:
    files = content()
    data = bytearray(package(files))
    at = data.index(files["pages/pages.jsonl"])
    data[at] ^= 1
    verdict = wacz(bytes(data))
    assert answer(verdict, "ZIP.DATA") == HASH
    assert answer(verdict, "WACZ.HASHES") == HASH


def test_a_bomb_leaves_its_own_questions_open_and_answers_the_others() -> None:
    files = {**content(), "pages/bomb.jsonl": bytes(100 << 20)}
    verdict = wacz(zipped({**files, "datapackage.json": manifest(files)}, method=zipfile.ZIP_DEFLATED))
    for check in ("ZIP.LIMITS", "WACZ.CONTAINER", "WACZ.HASHES"):
        found = finding(verdict, check)
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.RESOURCE_LIMIT, Bearing.DECISIVE)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert verdict.overall is Overall.INDETERMINATE


def test_an_archive_that_is_a_bomb() -> None:
    bomb = members(record(HTTP + b"\r\n" + bytes(40 << 20)))
    verdict = wacz(package(content(bomb)))
    assert answer(verdict, "WACZ.HASHES") == OK
    assert answer(verdict, "WARC.FRAMING") == (OPEN, Reason.RESOURCE_LIMIT)
    assert verdict.overall is Overall.INDETERMINATE


def test_the_budget_is_shared_by_all_packages_of_an_exhibit(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"archive/a.warc": record(HTTP + b"\r\n" + random.Random(1).randbytes(200_000))}
    data = zipped({**files, "datapackage.json": manifest(files)}, method=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(inflate.Budget.__init__, "__defaults__", (900_000,))
    assert Reason.RESOURCE_LIMIT not in {f.reason for f in wacz(data).findings}
    together = verified(*[(f"{n}.wacz", data) for n in range(3)])
    assert Reason.RESOURCE_LIMIT in {f.reason for f in together.findings}


def test_what_a_spent_budget_leaves_unread_is_open_and_never_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    files = content()
    data = zipped({**files, "datapackage.json": manifest(files)}, method=zipfile.ZIP_DEFLATED)
    for total in (10, 700, 1500, 3000):
        monkeypatch.setattr(inflate.Budget.__init__, "__defaults__", (total,))
        verdict = wacz(data)
        assert verdict.overall is Overall.INDETERMINATE and Reason.RESOURCE_LIMIT in verdict.reasons


def test_a_manifest_of_too_many_entries() -> None:
    about = json.dumps({"resources": [{"path": "a"}] * 50_001}).encode()
    assert answer(wacz(package({}, about=about)), "WACZ.LISTED") == (OPEN, Reason.RESOURCE_LIMIT)


def test_a_manifest_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.verification.snapshots.wacz.MANIFEST_MAX", 100)
    assert answer(wacz(package()), "WACZ.LISTED") == (OPEN, Reason.RESOURCE_LIMIT)
    assert wacz_manifest.MANIFEST_MAX == 8 << 20


# ── indexes and pages ─────────────────────────────────────────────────────────────────────────────────────────────────


def indexed(**changes: Any) -> bytes:
    """A package whose plain index line is changed."""
    files = content()
    line = json.loads(gzip.decompress(files.pop("indexes/index.cdx.gz")).split(b" ", 2)[2])
    del files["indexes/index.idx"]
    line.update(changes)
    text = json.dumps({k: v for k, v in line.items() if v is not None})
    files["indexes/index.cdx"] = f"com,example)/ 20261122073524 {text}\n".encode()
    return package(files)


def test_index_lines_point_to_the_bytes_they_say() -> None:
    size = len(members(record()))
    assert answer(wacz(indexed()), "WACZ.INDEX") == OK
    assert answer(wacz(indexed(offset="0", length=str(size))), "WACZ.INDEX") == OK
    for changes in (
        {"offset": 1},
        {"length": size - 1},
        {"length": 10**9},
        {"offset": -1},
        {"offset": "0x0"},
        {"offset": True},
        {"filename": "other.warc.gz"},
        {"filename": "../datapackage.json"},
        {"recordDigest": sha256(b"x")},
        {"recordDigest": "sha256:zz"},
        {"recordDigest": "md5:" + "0" * 32},
    ):
        assert answer(wacz(indexed(**changes)), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH), changes
    assert answer(wacz(indexed(recordDigest=None)), "WACZ.INDEX") == (OPEN, Reason.NO_DIGEST)


def test_the_block_index_is_compared_too() -> None:
    files = content()
    assert "INDEX_LINES_MATCHED:2" in notes(wacz(package(files)), "WACZ.INDEX")
    line = files["indexes/index.idx"]
    at = line.index(b"sha256:") + 7
    files["indexes/index.idx"] = line[:at] + (b"1" if line[at : at + 1] == b"0" else b"0") + line[at + 1 :]
    assert answer(wacz(package(files)), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH)


def test_a_listed_page_without_a_record_is_missing_not_wrong() -> None:
    files = content()
    files["pages/pages.jsonl"] += b'{"url": "https://example.com/elsewhere"}\n'
    found = finding(wacz(package(files)), "WACZ.INDEX")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.INDEX_MISMATCH, Bearing.REFUTING)
    assert "PAGE_WITHOUT_RECORD:https://example.com/elsewhere" in found.notes
    files["pages/pages.jsonl"] = b'{"url": "https://example.com/#part"}\n'
    assert answer(wacz(package(files)), "WACZ.INDEX") == OK


def test_a_line_beyond_the_limit_leaves_only_this_question_open() -> None:
    files = content()
    files["pages/pages.jsonl"] += b'{"url": "https://example.com/", "text": "' + b"x" * wacz_index.LINE_MAX + b'"}\n'
    found = finding(wacz(package(files)), "WACZ.INDEX")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.RESOURCE_LIMIT, Bearing.REFUTING)


def test_index_lines_that_are_no_json_and_lines_in_plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    files = content()
    files["indexes/more.cdx"] = b"com,example)/ 2026 {not json}\n"
    assert answer(wacz(package(files)), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH)
    monkeypatch.setattr(wacz_index, "LINES_MAX", 3)
    files["indexes/more.cdx"] = b"com,example)/ 2026 {}\n" * 10
    assert answer(wacz(package(files)), "WACZ.INDEX") == (OPEN, Reason.RESOURCE_LIMIT)


# ── a writer's defect ─────────────────────────────────────────────────────────────────────────────────────────────────

LONG = members(*[record(HTTP + b"\r\n" + random.Random(n).randbytes(30_000), number=n) for n in range(7)])


@pytest.mark.parametrize("archive", [LONG, LONG[: 2 * 65_536 - 7], members(record())], ids=["long", "odd", "short"])
def test_the_doubled_chunk_of_js_wacz_is_reproduced_exactly(archive: bytes) -> None:
    files = {ARCHIVE: archive}
    listed = resources(files)
    listed[0]["hash"] = doubled(archive)
    about = manifest(files, resources=listed, software="@harvard-lil/js-wacz 0.1.6")
    found = finding(wacz(package(files, about=about)), "WACZ.HASHES")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.KNOWN_WRITER_DEFECT, Bearing.DECISIVE)
    assert "KNOWN_WRITER_DEFECT:js-wacz-doubled-chunk" in found.notes
    court = trust(policy={"accept_writer_defects": ["js-wacz-doubled-chunk"]})
    accepted = wacz(package(files, about=about), store=court)
    assert answer(accepted, "WACZ.HASHES") == OK
    assert "KNOWN_WRITER_DEFECT_ACCEPTED:js-wacz-doubled-chunk" in notes(accepted, "WACZ.HASHES")
    assert "INTEGRITY_INTACT" not in notes(accepted, "WACZ.CONTAINER")
    # One changed bit, and nothing is explained any more, whatever the court accepts.
    altered = bytearray(archive)
    altered[len(altered) // 2] ^= 1
    assert answer(wacz(package({ARCHIVE: bytes(altered)}, about=about), store=court), "WACZ.HASHES") == HASH


def test_the_defect_is_of_one_file_only() -> None:
    files = {**content(), "archive/other.warc.gz": LONG}
    listed = resources(files)
    listed[-1]["hash"] = doubled(LONG)
    assert answer(wacz(package(files, about=manifest(files, resources=listed))), "WACZ.HASHES") == HASH


# ── mutations ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_mutation_makes_the_engine_stumble() -> None:
    data = package()
    chance = random.Random(20261122)
    for bit in chance.sample(range(8 * len(data)), 600):
        mutated = bytearray(data)
        mutated[bit // 8] ^= 1 << bit % 8
        assert wacz(bytes(mutated), runs=1).overall is not Overall.CONSISTENT
    for length in range(0, len(data), 61):
        assert wacz(data[:length], runs=1).overall is not Overall.CONSISTENT


def test_what_the_builder_packs_is_what_python_unpacks() -> None:
    assert set(unzipped(package())) == {*content(), "datapackage.json", "datapackage-digest.json"}
