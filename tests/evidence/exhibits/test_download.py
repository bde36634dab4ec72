"""Files leave exactly as they came, and nothing in them can act on the way out."""

import unicodedata

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from cases.models import Role
from evidence.exhibits.download import NAME_MAX, safe_name
from evidence.exhibits.models import Exhibit, ExhibitFile
from portal.ledger.models import Entry
from tests import courtroom

DATA = bytes(range(256)) * 1000
SIZE = len(DATA)


@pytest.fixture
def exhibit(db: None, tmp_path: object, settings: object) -> Exhibit:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]
    case = courtroom.case()
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return courtroom.hand_in(case, judge, files={"页面<b>.html": DATA, "empty": b""})


@pytest.fixture
def client(exhibit: Exhibit) -> Client:
    client = Client()
    client.force_login(exhibit.submitted_by)
    return client


def path(exhibit: Exhibit, position: int = 1) -> str:
    return reverse("exhibits:file", args=[exhibit.public_id, position])


def body(response: HttpResponse) -> bytes:
    """All of it: a stream left open would keep its file, a stream closed by hand would close the test's connection."""
    return b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]


def test_the_bytes_are_the_bytes_and_the_browser_is_told_to_do_nothing_with_them(client: Client, exhibit: Exhibit) -> None:
    response = client.get(path(exhibit))
    assert body(response) == DATA
    assert response["Content-Length"] == str(SIZE)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%E9%A1%B5%E9%9D%A2b.html")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=255990-", 255990, SIZE - 1), ("bytes=-5", SIZE - 5, SIZE - 1), ("bytes=0-999999999", 0, SIZE - 1), ("bytes=-999999999", 0, SIZE - 1)],
)
def test_one_range_at_a_time(client: Client, exhibit: Exhibit, asked: str, first: int, last: int) -> None:
    response = client.get(path(exhibit), headers={"range": asked})
    assert (response.status_code, response["Content-Range"]) == (206, f"bytes {first}-{last}/{SIZE}")
    assert body(response) == DATA[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", "bytes=999999999-"])
def test_a_range_outside_the_file(client: Client, exhibit: Exhibit, asked: str) -> None:
    response = client.get(path(exhibit), headers={"range": asked})
    assert (response.status_code, response["Content-Range"], response.content) == (416, f"bytes */{SIZE}", b"")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "items=0-1", "bytes=5-1", "bytes=a-b", "bytes=-", "bytes=٣-٤", "bytes=" + "9" * 400 + "-"])
def test_anything_else_gives_the_whole_file(client: Client, exhibit: Exhibit, asked: str) -> None:
    response = client.get(path(exhibit), headers={"range": asked})
    assert response.status_code == 200 and response["Content-Length"] == str(SIZE)
    assert body(response) == DATA


def test_a_range_of_other_bytes_gives_the_whole_file(client: Client, exhibit: Exhibit) -> None:
    tag = client.head(path(exhibit))["ETag"]
    for condition, status in ((tag, 206), ('"other"', 200)):
        response = client.get(path(exhibit), headers={"range": "bytes=0-1", "if-range": condition})
        assert (response.status_code, len(body(response))) == (status, 2 if status == 206 else SIZE)


def test_an_empty_file(client: Client, exhibit: Exhibit) -> None:
    response = client.get(path(exhibit, 2))
    assert (response.status_code, response["Content-Length"], body(response)) == (200, "0", b"")
    assert client.get(path(exhibit, 2), headers={"range": "bytes=0-"}).status_code == 416


def test_a_download_is_one_act_in_the_book(client: Client, exhibit: Exhibit) -> None:
    """To see it fail: record every range, or none."""
    before = Entry.objects.count()
    client.head(path(exhibit))
    body(client.get(path(exhibit)))
    body(client.get(path(exhibit), headers={"range": "bytes=100-"}))
    client.get(path(exhibit), headers={"range": f"bytes={SIZE}-"})
    assert Entry.objects.count() == before + 1


def test_no_other_position_and_no_other_exhibit(client: Client, exhibit: Exhibit) -> None:
    other = courtroom.hand_in(exhibit.case, exhibit.submitted_by)
    assert client.get(path(exhibit, 3)).status_code == 404
    assert ExhibitFile.objects.filter(exhibit=other).count() == 1 and client.get(path(other, 2)).status_code == 404


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("page.wacz", "page.wacz"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\网页.html", "网页.html"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: x=1.html", "aSet-Cookie x=1.html"),
        (".htaccess", "htaccess"),
        ("...", "file-7"),
        ("", "file-7"),
        ("/", "file-7"),
        ("一" * 300 + ".mp4", "一" * (NAME_MAX - 4) + ".mp4"),
    ],
)
def test_names(given_: str, kept: str) -> None:
    assert safe_name(given_, position=7) == kept


@given(st.text())
def test_no_name_can_mislead(name: str) -> None:
    kept = safe_name(name, position=1)
    assert kept and len(kept) <= NAME_MAX and not kept.startswith(".")
    assert not any(c in '\\/:*?"<>|' or unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in kept)
