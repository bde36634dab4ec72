"""What a browser is told and what it must bring, on every address: headers, tokens, cookies, hosts, redirects.

Every address of the portal is walked; a new page is under these rules without a line here.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from portal.people.models import User
from tests import courtroom
from tests.test_house import ENDPOINTS

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")
DIRECTIVES = {
    **dict.fromkeys(("script-src", "style-src", "font-src", "connect-src", "form-action", "worker-src", "manifest-src"), "'self'"),
    **dict.fromkeys(("default-src", "base-uri", "frame-ancestors"), "'none'"),
    "img-src": "'self' data:",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def judge() -> User:
    return User.objects.create_user("judge", password=PASSWORD, full_name="某人", court_staff=True)


def signed_in(user: User, **options: Any) -> Client:
    client = Client(raise_request_exception=False, **options)
    client.force_login(user)
    return client


def policy(response: HttpResponse) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))


def lacking(response: HttpResponse, *, own_policy: bool = False) -> list[str]:
    """The headers an answer should carry and does not."""
    found = [name for name, value in HEADERS.items() if response.headers.get(name) != value]
    if not own_policy and ("Content-Security-Policy" not in response.headers or policy(response) != DIRECTIVES):
        found.append("Content-Security-Policy")
    if "no-store" not in response.headers.get("Cache-Control", ""):
        found.append("Cache-Control")
    return found


# ── every answer ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["nobody", "somebody"])
def test_every_address_by_every_method_is_guarded_and_never_a_fault(who: str, judge: User) -> None:
    """To see it fail: take any part out of the content policy, or a middleware behind the one that answers."""
    wrong = []
    for path, name in ENDPOINTS:
        for method in METHODS:
            client = signed_in(judge) if who == "somebody" else Client(raise_request_exception=False)
            response = getattr(client, method)(path)
            if lacking(response) or (response.status_code >= 500 and name != "readyz"):
                wrong.append((method, path, response.status_code, lacking(response)))
    assert wrong == []


def _refusals(judge: User) -> Iterator[tuple[str, int, HttpResponse]]:
    client = signed_in(judge)
    yield "absent", 404, client.get("/nothing/here")
    yield "other host", 400, client.get("/", headers={"host": "evil.example"})
    yield "malformed host", 400, client.get("/", headers={"host": "a b"})
    yield "no token", 403, signed_in(judge, enforce_csrf_checks=True).post(reverse("set_language"))
    yield "too large", 413, client.post(reverse("set_language"), "a=" + "x" * (7 << 20), content_type="application/x-www-form-urlencoded")
    yield "too many fields", 400, client.post(reverse("set_language"), {f"f{n}": "" for n in range(10_001)})
    yield "a file nobody asked for", 400, client.post(reverse("set_language"), {"f": SimpleUploadedFile("a", b"x")})
    yield "not a form", 400, client.post(reverse("set_language"), b"--x", content_type="multipart/form-data; boundary=" + "y" * 300)
    yield "nul in the address", 400, client.get("/?q=a%00b")
    yield "nul in the path", 400, client.get("/submit/%00/")


def test_refusals_carry_the_same_headers_and_say_what_happened(judge: User) -> None:
    for what, status, response in _refusals(judge):
        page = response.content.decode()
        assert (what, response.status_code, lacking(response)) == (what, status, [])
        assert page.count("<h1") == 1 and "明鉴" in page, what


@override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["court.example"])
def test_a_foreign_host_is_refused_before_the_redirect_to_https(judge: User) -> None:
    """Else the answer is made outside all that sets headers."""
    response = Client(raise_request_exception=False).get("/accounts/login/", headers={"host": "evil.example"})
    assert response.status_code == 400 and lacking(response) == [] and "evil" not in response.content.decode()
    response = Client().get("/accounts/login/", headers={"host": "court.example"})
    assert response.status_code == 301 and response["Location"] == "https://court.example/accounts/login/"


def test_static_files_carry_them_too(tmp_path: Path) -> None:
    """To see it fail: put the static files' middleware before the content policy's."""
    (tmp_path / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    with override_settings(STATIC_ROOT=str(tmp_path)):
        response = Client().get("/static/picture.svg")
    assert response.status_code == 200 and b"alert" in b"".join(response.streaming_content)
    assert set(lacking(response)) <= {"Cache-Control"}
    assert "no-store" not in response["Cache-Control"], "files of ours may be kept"


def test_a_database_that_is_gone_is_said_in_both_languages(judge: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart of the database in the middle of a request."""
    client = signed_in(judge)

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("terminating connection: SECRET-HOST")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", gone)
    for path in ("/", "/submit/", "/reports/check/?number=a&code=b"):
        response = client.get(path)
        page = response.content.decode()
        assert response.status_code == 500 and lacking(response) == [], path
        assert "系统出错" in page and "Something went wrong" in page and "SECRET" not in page
    response = client.get("/readyz")
    assert response.status_code == 503 and "database" in response.json()["faults"] and "SECRET" not in response.content.decode()
    assert client.get("/livez").status_code == 200


def test_downloads_are_attachments_that_a_browser_does_nothing_with(tmp_path: Path, settings: Any) -> None:
    """Files of the parties and reports of the court. To see it fail: send either inline."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    cast = courtroom.cast()
    client = signed_in(cast.people["judge"])
    for address in (
        reverse("exhibits:file", args=[cast.exhibits["own"].public_id, 1]),
        reverse("reports:download", args=[cast.reports["signed"].public_id]),
    ):
        response = client.get(address)
        assert response.status_code == 200 and response["Content-Disposition"].startswith("attachment; filename")
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert lacking(response, own_policy=True) == [] and response["Content-Type"] in {"application/octet-stream", "application/pdf"}
        assert not {"\r", "\n"} & set(response["Content-Disposition"])


# ── a form of ours, or none ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_done_without_the_token(judge: User, method: str) -> None:
    """To see it fail: @csrf_exempt on any view. (The mini-court form and the import of a trust store look who is asking before
    they read a body; they are held to the token in their rooms.)"""
    client = signed_in(judge, enforce_csrf_checks=True)
    answers = {path: getattr(client, method)(path).status_code for path, name in ENDPOINTS if name not in ("intake:step", "trust:import")}
    assert {path: status for path, status in answers.items() if status != 403} == {}


def test_a_file_in_a_form_that_takes_none_is_never_written(judge: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the refusal anybody on the net could fill the disk through any form. To see it fail: FILE_UPLOAD_HANDLERS."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    written: list[str] = []
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", lambda *a, **k: written.append(str(a)))
    for _path, name in ENDPOINTS:
        if "/" not in name and name in {"account_login", "account_signup", "account_logout", "set_language", "demo_sign_in"}:
            big = SimpleUploadedFile("big.bin", b"x" * (4 << 20))
            assert Client(raise_request_exception=False).post(reverse(name), {"f": big}).status_code == 400, name
    assert written == [] and list(tmp_path.iterdir()) == []


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def enter(client: Client, **more: str) -> HttpResponse:
    return client.post(reverse("account_login"), {"login": "judge", "password": PASSWORD, **more})


@pytest.mark.parametrize("door", ["password", "demonstration"])
def test_a_session_planted_before_signing_in_is_worth_nothing_after(judge: User, door: str) -> None:
    """Session fixation. To see it fail: write the user into the session by hand instead of login()."""
    client = Client()
    planted = client.session
    planted["planted"] = "by an attacker"
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    client.get(reverse("account_login"))
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    response = enter(client) if door == "password" else client.post(reverse("demo_sign_in"), {"person": "judge"})
    assert response.status_code == 302
    assert client.session.session_key != planted.session_key
    assert client.cookies[settings.CSRF_COOKIE_NAME].value != token, "a token read before is worth nothing after"
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    assert attacker.get("/").status_code == 302


def test_signing_out_ends_the_session_and_needs_a_button(judge: User) -> None:
    client = Client()
    enter(client)
    stolen = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.get(reverse("account_logout"))
    assert client.get("/").status_code == 200, "a picture with this address must not sign anybody out"
    client.post(reverse("account_logout"))
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/").status_code == 302


def test_a_new_password_ends_the_other_sessions(judge: User) -> None:
    here, elsewhere = Client(), Client()
    enter(here)
    enter(elsewhere)
    new = {"oldpassword": PASSWORD, "password1": "another horse battery", "password2": "another horse battery"}
    assert here.post(reverse("account_change_password"), new).status_code == 302
    assert elsewhere.get("/").status_code == 302


def test_a_closed_account_is_out_at_its_next_request(judge: User) -> None:
    client = Client()
    enter(client)
    User.objects.filter(pk=judge.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    assert enter(Client())["Location"] == reverse("account_inactive")


def test_a_session_ends_after_eight_hours_whatever_the_browser_keeps(judge: User) -> None:
    client = Client()
    enter(client, remember="on")
    assert client.session.get_expiry_age() <= 8 * 3600
    enter(other := Client())
    assert other.session.get_expire_at_browser_close()


# ── redirects ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = (
    *("https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:///evil.example"),
    *("javascript:alert(1)", "data:text/html,x", "/\t/evil.example", " //evil.example", "https:evil.example"),
    *("https://testserver@evil.example/", "https://testserver.evil.example/", "//evil.example/\r\nX-Evil: 1"),
)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_address_leads_elsewhere(judge: User, target: str) -> None:
    """next in every form and page that knows it, Referer, from."""
    doors: list[HttpResponse] = [
        enter(Client(), next=target),
        Client().post(reverse("account_login"), {"login": "judge", "password": PASSWORD}, query_params={"next": target}),
        Client().post(reverse("demo_sign_in"), {"person": "judge", "next": target}),
        Client().post(reverse("set_language"), {"language": "en", "next": target}),
        Client().post(reverse("set_language"), {"language": "en"}, query_params={"next": target}),
        signed_in(judge).post(reverse("account_logout"), {"next": target}),
        signed_in(judge).get(reverse("account_login"), {"next": target}),
        signed_in(judge).get(reverse("account_signup"), {"next": target}),
        Client().post(reverse("account_signup"), {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "next": target}),
        signed_in(judge).post(reverse("intake:start"), {"from": target, "next": target}),
    ]
    if "\r" not in target:
        doors.append(Client().post(reverse("set_language"), {"language": "en"}, headers={"referer": target}))
    for response in doors:
        assert response.status_code in {302, 204}
        location = response.headers.get("Location", "/")
        assert location.startswith("/") and not location.startswith(("//", "/\\")) and "\n" not in location, location
        assert "evil" not in location.split("?")[0], location


# ── cookies and settings as production has them ───────────────────────────────────────────────────────────────────────


def production(script: str, **environment: str) -> str:
    """Run a script under the settings of a court, not of the demonstration."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PORTAL_")}
    given = {
        "PORTAL_SECRET_KEY": "x1" * 40,
        "PORTAL_HOSTS": "court.example",
        "PORTAL_BEHIND_PROXY": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **environment,
    }
    plain_files = "{'BACKEND': 'django.contrib.staticfiles.storage.StaticFilesStorage'}"  # none were collected here
    script = f"import django; django.setup(); from django.conf import settings\nsettings.STORAGES['staticfiles'] = {plain_files}\n{script}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=clean | given, capture_output=True, text=True, check=True)
    return done.stdout


def test_cookies_in_production() -> None:
    """Secure, bound to this host, unreadable to script, not sent from elsewhere; no cookie holds content."""
    said = production(
        "for n in ('SESSION', 'CSRF', 'LANGUAGE'):\n"
        "    print(n, *(getattr(settings, f'{n}_COOKIE_{x}') for x in ('NAME', 'SECURE', 'HTTPONLY', 'SAMESITE', 'PATH', 'DOMAIN')))\n"
        "print(settings.MESSAGE_STORAGE)"
    )
    assert said.splitlines() == [
        "SESSION __Host-sessionid True True Lax / None",
        "CSRF __Host-csrftoken True True Lax / None",
        "LANGUAGE __Host-django_language True True Lax / None",
        "django.contrib.messages.storage.session.SessionStorage",
    ]


def test_production_sends_to_https_keeps_it_so_and_has_no_open_door() -> None:
    said = production(
        "from django.test import Client\n"
        "def ask(path, **m): return Client(raise_request_exception=False).get(path, headers={'host': 'court.example', **m})\n"
        "plain, forged = ask('/accounts/login/'), ask('/livez', **{'x-forwarded-proto': 'https'})\n"
        "print(plain.status_code, plain['Location'], forged.status_code, forged['Strict-Transport-Security'])\n"
        "door = Client(raise_request_exception=False).post('/accounts/demonstration/', {'person': 'judge'}, headers={'host': 'court.example', 'x-forwarded-proto': 'https'})\n"
        "print(door.status_code, settings.DEBUG)"
    )
    assert said.splitlines() == ["301 https://court.example/accounts/login/ 200 max-age=31536000", "404 False"]
