"""Exhibits of snapshots for tests: the engine's one door around them, and WARC records built byte by byte."""

import base64
import gzip
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence.verification import Exhibit, Source, TrustStore, Verdict, catalogue, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Outcome
from tests.anchor_packs import write_pack

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE


def verified(
    *files: tuple[str, bytes] | Path, store: TrustStore | None = None, at: datetime = AT, runs: int = 2
) -> Verdict:
    """The verdict on files given as (name, bytes) or paths. Every finding has its sentences in both languages, and every
    run gives the same bytes (tests of thousands of mutations run each once)."""
    documents = []
    for _ in range(runs):
        exhibit = Exhibit.of(
            Source.from_path(f) if isinstance(f, Path) else Source.from_bytes(*f) for f in files
        )
        try:
            verdict = verify(exhibit, store or TrustStore.empty(), at)
        finally:
            exhibit.close()
        documents.append(verdict.to_json())
    assert len(set(documents)) == 1
    assert all(f.reason is not Reason.INTERNAL_ERROR for f in verdict.findings), verdict.findings
    for language in catalogue.LANGUAGES:
        for f in verdict.findings:
            assert catalogue.question(f.check, language) and catalogue.answer(f, language)
            assert all(catalogue.note(n, language) for n in f.notes)
        assert all(catalogue.statement(s, language) for s in verdict.not_proven)
    return verdict


def trust(
    *,
    tsa: Sequence[bytes] = (),
    web: Sequence[bytes] = (),
    ct_logs: Sequence[bytes] = (),
    policy: Mapping[str, Any] | None = None,
) -> TrustStore:
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder), tsa_roots=tsa, web_roots=web, ct_logs=ct_logs, policy=policy))


def findings(verdict: Verdict, check: str, *, subject: str = "") -> list[Finding]:
    return [f for f in verdict.findings if f.check == check and subject in f.subject]


def finding(verdict: Verdict, check: str, *, subject: str = "") -> Finding:
    """The one finding of a check (on a subject that contains the text)."""
    found = findings(verdict, check, subject=subject)
    assert len(found) == 1, (check, [(f.check, f.subject) for f in verdict.findings])
    return found[0]


def answer(verdict: Verdict, check: str, *, subject: str = "") -> tuple[Outcome, Reason | None]:
    found = finding(verdict, check, subject=subject)
    return found.outcome, found.reason


def notes(verdict: Verdict, check: str) -> list[str]:
    return [n for f in findings(verdict, check) for n in f.notes]


def asked(verdict: Verdict) -> set[str]:
    return {f.check for f in verdict.findings}


# ── WARC records, byte by byte ────────────────────────────────────────────────────────────────────────────────────────

PAGE = b"<!doctype html><html><body>evidence \xe6\x9d\x83</body></html>"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def record(
    block: bytes = HTTP + b"\r\n" + PAGE,
    *,
    kind: str = "response",
    number: int = 1,
    block_digest: str | None = "right",
    payload_digest: str | None = "right",
    payload: bytes | None = None,
    content_type: str = "application/http; msgtype=response",
    version: str = "WARC/1.1",
    length: str | None = None,
    fields: Sequence[tuple[str, str]] = (),
    uri: str = "https://example.com/",
    end: bytes = b"\r\n\r\n",
) -> bytes:
    """One record. `right` digests are computed here; other texts stand as they are; None leaves the field out."""
    body = payload if payload is not None else block.partition(b"\r\n\r\n")[2]
    lines = [
        version,
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        "WARC-Date: 2026-11-22T07:35:24Z",
        f"WARC-Target-URI: {uri}",
    ]
    for name, text, data in (("Block", block_digest, block), ("Payload", payload_digest, body)):
        if text is not None:
            lines.append(f"WARC-{name}-Digest: {sha1(data) if text == 'right' else text}")
    lines += [f"{n}: {v}" for n, v in fields]
    lines += [f"Content-Type: {content_type}", f"Content-Length: {len(block) if length is None else length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + end


def members(*records: bytes) -> bytes:
    """One gzip member for each record, as Python's gzip writes it."""
    return b"".join(gzip.compress(r, mtime=0) for r in records)
