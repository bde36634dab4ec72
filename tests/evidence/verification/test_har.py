"""HTTP archives: form, bodies, and no word of what may be a secret."""

import base64
import hashlib
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.verification import Verdict, printout
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import answer, finding, notes, verified

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
SECRET = "sesame-4711"
BODY = "<p>侵权</p>"


def entry(**content: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-22T15:35:24.123+08:00",
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": f"https://example.com/?token={SECRET}",
            "headers": [{"name": "Cookie", "value": SECRET}],
            "cookies": [],
        },
        "response": {
            "status": 200,
            "headers": [],
            "content": {"size": len(BODY.encode()), "mimeType": "text/html", "text": BODY, **content},
        },
        "serverIPAddress": "192.0.2.1",
    }


def archive(*entries: Any, **log: Any) -> bytes:
    whole = {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": list(entries)}
    return json.dumps({"log": {**whole, **log}}, ensure_ascii=False).encode()


def saved(data: bytes, *, runs: int = 2) -> Verdict:
    return verified(("page.har", data), runs=runs)


def test_an_archive_states_facts_and_binds_nothing() -> None:
    picture = {"text": base64.b64encode(b"\x89PNG").decode(), "encoding": "base64", "size": 5}
    later = {**entry(**picture), "startedDateTime": "2026-11-22T07:40:00Z"}
    verdict = saved(archive(later, entry(), entry(text=None)))
    assert verdict.sources[0].format == "har"
    assert answer(verdict, "HAR.FORM") == answer(verdict, "HAR.SIZES") == (PASSED, None)
    assert answer(verdict, "HAR.BINDING") == (OPEN, Reason.NO_POE)
    assert (verdict.overall, verdict.reasons) == (Overall.INDETERMINATE, (Reason.NO_POE,))
    said = notes(verdict, "HAR.SIZES")
    assert said[:3] == ["SIZES_EQUAL:1", "SIZES_DIFFERENT:1", "BODIES_ABSENT:1"]
    assert f"BODY:1 {len(BODY.encode())} B SHA-256 {hashlib.sha256(BODY.encode()).hexdigest()}" in said
    assert f"BODY:0 4 B SHA-256 {hashlib.sha256(bytes.fromhex('89504e47')).hexdigest()}" in said
    assert [t.instant for t in verdict.stated] == [
        datetime(2026, 11, 22, 7, 35, 24, 123000, tzinfo=UTC),
        datetime(2026, 11, 22, 7, 40, tzinfo=UTC),
    ]


def test_credentials_are_counted_and_never_repeated() -> None:
    verdict = saved(archive(entry(), {**entry(), "request": {"method": "GET", "url": "https://example.com/"}}))
    assert "CREDENTIALS:1" in notes(verdict, "HAR.FORM")
    for text in (verdict.to_json().decode(), printout.render(verdict, "zh"), printout.render(verdict, "en")):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (archive(entry(), version="9"), "log.version"),
        (archive(creator=[]), "log.creator"),
        (archive(entries={}), "log.entries"),
        (archive(entry(), {}), "entry 1: startedDateTime"),
        (archive({**entry(), "request": None}), "entry 0: request"),
        (archive({**entry(), "response": {"status": 200}}), "entry 0: response"),
        (archive({**entry(), "response": {"status": True, "content": {}}}), "entry 0: status"),
        (archive(entry(encoding="base64")), "entry 0: content is not base64"),
        (archive(entry(encoding="base64", text="QQ=")), "entry 0: content is not base64"),
        (archive(entry(encoding="gzip")), "entry 0: content"),
        (archive(entry())[:-1], "Expecting"),
        (archive(entry(size=0)).replace(b'"size": 0', b'"size": NaN'), "NaN"),
        (archive(entry()).replace(b'"time"', b'"startedDateTime"'), "twice"),
        (b'{"log": {"pages": ' + b"[" * 100_000, "deeply"),
    ],
)
def test_another_form_is_named_and_decides_nothing(data: bytes, where: str) -> None:
    verdict = saved(data)
    assert answer(verdict, "HAR.FORM") == (FAILED, Reason.FORMAT_FAILURE)
    assert where in str(finding(verdict, "HAR.FORM").actual)
    assert verdict.overall is Overall.INDETERMINATE


def test_too_many_entries() -> None:
    small = {"startedDateTime": "", "request": {"url": ""}, "response": {"status": 0, "content": {}}}
    assert answer(saved(archive(*[small] * 50_001), runs=1), "HAR.FORM") == (OPEN, Reason.RESOURCE_LIMIT)


@pytest.mark.parametrize("data", [b'{"log": 1}', b'{"log": {"a": 1}}', b'[{"log": {"version": "1.2"}}]', b"{}"])
def test_other_json_is_not_claimed(data: bytes) -> None:
    assert saved(data).sources[0].format == "unknown"


def test_changes_are_answered() -> None:
    data = archive(entry(), entry())
    chance = random.Random(7)
    for _ in range(200):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        assert saved(bytes(changed), runs=1).overall is Overall.INDETERMINATE
