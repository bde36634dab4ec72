"""The host of evidence and its one-time addresses: what it answers, to whom, how often, and with which headers."""

import hashlib
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIHandler
from django.core.signing import TimestampSigner
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import Membership, Role, Side
from evidence.captures.display import addresses, checks, host, left_out, origin
from evidence.captures.display.models import Address
from evidence.exhibits.models import Exhibit
from portal.ledger.models import Entry
from portal.people.models import User
from portal.vault import Vault
from tests import courtroom

pytestmark = pytest.mark.django_db

EVIDENCE = "evidence.localhost"
EXACT = {
    # spec snapshots §13, written a second time
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-DNS-Prefetch-Control": "off",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-store",
}


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User, tmp_path: Path, settings: Any) -> Exhibit:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    made = courtroom.hand_in(case, party)
    courtroom.read(made)
    return made


def safe(exhibit: Exhibit, name: str = "safe") -> str:
    return reverse(f"captures:{name}", args=[exhibit.public_id, 1, 1])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address_of(client: Client, exhibit: Exhibit) -> str:
    page = client.get(safe(exhibit)).content.decode()
    return page.split('src="http://evidence.localhost')[1].split('"')[0].replace("&amp;", "&")


def shown(path: str, **more: Any) -> HttpResponse:
    return Client(**more).get(path, headers={"host": EVIDENCE})  # type: ignore[return-value]


def bare(response: HttpResponse) -> bool:
    return response.status_code == 404 and response.content == b"" and dict(response.items()) == {
        **EXACT,
        "Content-Type": "text/plain",
        "Content-Length": "0",
    }


def test_the_headers_are_these_and_no_others(judge: User, exhibit: Exhibit) -> None:
    """Byte for byte. To see it fail: let the host's answers pass through any other middleware."""
    response = shown(address_of(signed_in(judge), exhibit))
    assert response.status_code == 200 and response.content == courtroom.SAFE_VIEW
    assert dict(response.items()) == {
        **EXACT,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(courtroom.SAFE_VIEW)),
    }
    assert not response.cookies


def test_an_address_is_used_once(judge: User, exhibit: Exhibit) -> None:
    client = signed_in(judge)
    path = address_of(client, exhibit)
    assert shown(path).status_code == 200
    assert bare(shown(path)) and bare(shown(path))
    assert shown(address_of(client, exhibit)).status_code == 200, "a new one comes with every load of the page"


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_shows_it(judge: User, exhibit: Exhibit) -> None:
    """Twelve at once, each with a connection of its own. To see it fail: read the row first and write it afterwards."""
    token = address_of(signed_in(judge), exhibit)[1:]
    start, found = threading.Barrier(12), []

    def use() -> None:
        start.wait()
        found.append(addresses.redeem(token))
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [hashlib.sha256(courtroom.SAFE_VIEW).hexdigest(), *[None] * 11]


def test_an_address_that_was_tampered_with_is_nothing_and_asks_nothing(judge: User, exhibit: Exhibit, settings: Any) -> None:
    path = address_of(signed_in(judge), exhibit)
    nonce, stamp, signature = path[1:].split(":")
    wrong = [
        "/", "/x", f"/{nonce}", f"/{nonce}:{stamp}", f"/{nonce}:{stamp}:", f"/{nonce}:{stamp}:{signature[:-1]}", f"/{'A' + nonce[1:]}:{stamp}:{signature}",
        f"/{nonce}:0:{signature}", f"{path}/", f"{path}/..", f"/{path}", "/" + "x" * 5_000, "/%00", f"{path}%00", "/favicon.ico", "/robots.txt",
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        for other in wrong:
            assert bare(shown(other)), other
    assert len(asked) == 0
    key, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 60
    assert bare(shown(path))
    settings.SECRET_KEY = key
    assert shown(f"{path}?x=1").status_code == 200, "none of these has used it up"


def test_an_address_ends_after_five_minutes(judge: User, exhibit: Exhibit) -> None:
    """By the signature and, should the clocks of the workers differ, by the clock of the database."""
    assert timedelta(minutes=5) == addresses.DISPLAY_URL_TTL
    path = address_of(signed_in(judge), exhibit)
    with time_machine.travel(time.time() + 301, tick=False):
        assert bare(shown(path))
    assert Address.objects.get().used_at is None
    Address.objects.create(
        nonce_sha256=hashlib.sha256(b"nonce").hexdigest(), exhibit=exhibit, user=judge, position=1, number=1,
        blob_sha256=hashlib.sha256(courtroom.SAFE_VIEW).hexdigest(), issued_at=timezone.now() - timedelta(seconds=301),
    )  # fmt: skip
    signed = TimestampSigner(salt="evidence.captures.display").sign("nonce")
    assert bare(shown(f"/{signed}"))
    assert shown(path).status_code == 200


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options", "patch"])
def test_only_get_is_answered_and_nothing_else_uses_an_address_up(judge: User, exhibit: Exhibit, method: str) -> None:
    path = address_of(signed_in(judge), exhibit)
    response = getattr(Client(), method)(path, headers={"host": EVIDENCE})
    assert response.status_code == 404 and response["Content-Security-Policy"] == EXACT["Content-Security-Policy"]
    assert shown(path).status_code == 200


def test_who_lost_the_right_sees_nothing(judge: User, exhibit: Exhibit) -> None:
    client = signed_in(judge)
    first, second = address_of(client, exhibit), address_of(client, exhibit)
    User.objects.filter(pk=judge.pk).update(is_active=False)
    assert bare(shown(first))
    User.objects.filter(pk=judge.pk).update(is_active=True)
    for membership in Membership.objects.filter(user=judge):
        membership.valid_to = membership.valid_from + timedelta(seconds=1)
        membership.save()
    assert bare(shown(second))


def test_the_portal_is_not_on_the_host_of_evidence(judge: User) -> None:
    """No page, no sign-in, no static file, no health; and a cookie that should come here all the same is not read."""
    client = signed_in(judge)
    for path in ("/", "/accounts/login/", "/livez", "/readyz", "/static/portal.css", "/language/", "/reports/check/"):
        for name in (EVIDENCE, EVIDENCE.upper()):
            with CaptureQueriesContext(connection) as asked:
                response = client.get(path, headers={"host": name})
            assert bare(response) and not response.cookies and len(asked) == 0, path


def test_the_view_is_not_on_the_portal(judge: User, exhibit: Exhibit) -> None:
    client = signed_in(judge)
    path = address_of(client, exhibit)
    for name in ("localhost", "testserver", f"x.{EVIDENCE}", f"{EVIDENCE}:81", f"{EVIDENCE}."):
        response = client.get(path, headers={"host": name})
        assert response.status_code in (400, 404) and courtroom.SAFE_VIEW not in response.content
    assert shown(path).status_code == 200


def test_a_fault_of_our_own_is_bare_too(judge: User, exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    path = address_of(signed_in(judge), exhibit)

    def broken(token: str) -> str:
        raise OSError("the database is gone")

    monkeypatch.setattr(addresses, "redeem", broken)
    response = shown(path)
    assert (response.status_code, response.content) == (500, b"")
    assert {n: response[n] for n in EXACT} == EXACT


def test_bytes_that_changed_in_the_vault_are_not_shown(judge: User, exhibit: Exhibit, settings: Any) -> None:
    client = signed_in(judge)
    file = Vault(settings.PORTAL_VAULT_DIR).path(hashlib.sha256(courtroom.SAFE_VIEW).hexdigest())
    file.chmod(0o600)
    file.write_bytes(b"<script>" + courtroom.SAFE_VIEW)
    assert bare(shown(address_of(client, exhibit)))
    file.unlink()
    assert bare(shown(address_of(client, exhibit)))


def test_each_look_is_an_act_in_the_book(judge: User, exhibit: Exhibit) -> None:
    client = signed_in(judge)
    before = Entry.objects.count()
    client.get(safe(exhibit))
    assert client.get(safe(exhibit, "safe_alone")).status_code == 302
    client.head(safe(exhibit))
    assert Entry.objects.count() == before + 2 and Address.objects.count() == 2
    row = Address.objects.first()
    assert row is not None and (row.exhibit, row.user, row.position, row.number) == (exhibit, judge, 1, 1)


def test_the_frame_may_come_from_that_host_on_that_page_only(judge: User, exhibit: Exhibit) -> None:
    client = signed_in(judge)
    policy = client.get(safe(exhibit))["Content-Security-Policy"]
    assert "frame-src http://evidence.localhost;" in policy + ";" and "default-src 'none'" in policy and "unsafe" not in policy
    for other in (reverse("captures:capture", args=[exhibit.public_id, 1, 1]), reverse("exhibits:exhibit", args=[exhibit.public_id]), "/"):
        assert "frame-src" not in client.get(other)["Content-Security-Policy"]
    page = client.get(safe(exhibit)).content.decode()
    assert page.count("<iframe") == 1 and ' sandbox=""' in page and 'referrerpolicy="no-referrer"' in page
    assert "allow-" not in page and "仅为展示" in page and 'rel="noopener noreferrer"' in page


@pytest.mark.parametrize(
    "wrong",
    ["http://testserver", "http://localhost:9000", "https://LOCALHOST", "http://x.example/path", "ftp://x.example", "//x.example", "http://", "http://a b"],
)
def test_an_origin_that_is_not_apart_turns_the_view_off(judge: User, exhibit: Exhibit, settings: Any, wrong: str) -> None:
    """Another port of the portal's host is the same host to a cookie."""
    settings.PORTAL_EVIDENCE_ORIGIN = wrong
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    [said] = checks.evidence_host_apart(None)
    assert said.id == "portal.E040" and wrong in said.msg
    page = signed_in(judge).get(safe(exhibit))
    assert page.status_code == 200 and b"<iframe" not in page.content and "PORTAL_EVIDENCE_ORIGIN" in page.content.decode()
    assert "frame-src" not in page["Content-Security-Policy"] and not Address.objects.exists()
    assert signed_in(judge).get(safe(exhibit, "safe_alone")).status_code == 404


def test_without_an_origin_the_check_says_so(settings: Any) -> None:
    settings.PORTAL_EVIDENCE_ORIGIN = ""
    assert [m.id for m in checks.evidence_host_apart(None)] == ["portal.W040"] and origin.netloc() is None
    settings.PORTAL_EVIDENCE_ORIGIN = "https://shown.example"
    settings.ALLOWED_HOSTS = [".example"]
    assert [m.id for m in checks.evidence_host_apart(None)] == ["portal.E040"]
    settings.ALLOWED_HOSTS = ["portal.example"]
    assert checks.evidence_host_apart(None) == []
    settings.PORTAL_EVIDENCE_ORIGIN, settings.SECURE_TLS = "http://shown.example", True
    assert [m.id for m in checks.evidence_host_apart(None)] == ["portal.E040"]


def test_plain_http_is_nothing_where_the_portal_is_https(judge: User, exhibit: Exhibit, settings: Any) -> None:
    path = address_of(signed_in(judge), exhibit)
    settings.SECURE_SSL_REDIRECT = True
    assert bare(shown(path))
    assert Client().get(path, headers={"host": EVIDENCE}, secure=True).status_code == 200


def test_it_stands_before_every_other_middleware(settings: Any) -> None:
    assert settings.MIDDLEWARE[0] == "evidence.captures.display.host.evidence_host"
    handler = WSGIHandler()
    response = handler.get_response(RequestFactory().get("/x", headers={"host": EVIDENCE, "cookie": "sessionid=x"}))
    assert bare(response) and host.HEADERS == EXACT


def test_what_was_left_out_is_said_in_order(settings: Any) -> None:
    assert [n for n, _ in left_out.lines(["SAFE_LINKS:4", "TEXT_MAX", "SAFE_SCRIPTS:12", "SAFE_FONTS:0"])] == [12, 4]
    assert left_out.why_none(["SAFE_TOO_MUCH"]) and left_out.why_none(["SAFE_LINKS:1"]) is None


def test_a_used_address_stays_used(judge: User, exhibit: Exhibit) -> None:
    """The database itself refuses. To see it fail: drop a trigger of the migration."""
    from tests.evidence.test_rows_kept import refused

    path = address_of(signed_in(judge), exhibit)
    assert refused("DELETE FROM captures_display_address") and refused("UPDATE captures_display_address SET blob_sha256 = repeat('a', 64)")
    shown(path)
    for change in ("used_at = NULL", "used_at = now() + interval '1 day'", "user_id = user_id + 1"):
        assert refused(f"UPDATE captures_display_address SET {change}"), change


def test_every_count_of_the_reader_has_words() -> None:
    """To see it fail: count something new in the reader."""
    import re

    from evidence.captures.reading import safe_html

    counted = set(re.findall(r'"(SAFE_[A-Z_]+)"', Path(safe_html.__file__).read_text(encoding="utf-8")))
    assert counted == left_out.COUNTED.keys() | left_out.WHY_NONE.keys()
