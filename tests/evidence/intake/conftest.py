"""A case, its people, a vault of the test's own, and the two ways of handing files in."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Court, Membership, Party, Role, Side
from evidence.intake.models import Draft
from portal.people.models import User

NUMBER = "（2026）川01民初123号"
WHAT = {
    "name": "被告网店网页快照",
    "category": "web",
    "original_form": "native",
    "origin": "原告用取证工具抓取",
}
PRECHAIN = {"source": "被告网店的商品页面", "notary": "（2026）川成证字第1号"}
PURPOSE = {"purpose": "被告于2026年3月展示侵权商品"}
END = {"end": "whole"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sm3(data: bytes) -> str:
    h = hashes.Hash(hashes.SM3())
    h.update(data)
    return h.finalize().hex()


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: Path, settings: object) -> Path:
    directory = tmp_path / "vault"
    settings.PORTAL_VAULT_DIR = directory  # type: ignore[attr-defined]
    return directory


@pytest.fixture
def court(db: None) -> Court:
    return Court.objects.create(
        code="川01", name_zh="四川省成都市中级人民法院", name_en="Chengdu Intermediate Court"
    )


@pytest.fixture
def case(court: Court) -> Case:
    return Case.objects.create(
        number=NUMBER, year=2026, court_code="川01", case_type="民初", sequence=123, court=court
    )


def member(
    case: Case,
    username: str,
    *,
    role: str = Role.LITIGANT,
    side: str = Side.PLAINTIFF,
    days: int | None = None,
) -> User:
    user = User.objects.create_user(username, password=None, full_name=f"姓名{username}")
    party, _ = Party.objects.get_or_create(case=case, side=side, defaults={"name": f"{side}公司"})
    valid_to = None if days is None else timezone.now() + timedelta(days=days)
    Membership.objects.create(
        case=case,
        user=user,
        role=role,
        side=side,
        party=party,
        valid_from=timezone.now() - timedelta(days=30),
        valid_to=valid_to,
    )
    return user


@pytest.fixture
def litigant(case: Case) -> User:
    return member(case, "zhou")


@pytest.fixture
def opponent(case: Case) -> User:
    return member(case, "zheng", side=Side.DEFENDANT)


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger", password=None, full_name="旁人")


def signed_in(user: User, *, csrf: bool = False) -> Client:
    browser = Client(enforce_csrf_checks=csrf)
    browser.force_login(user)
    return browser


@pytest.fixture
def browser(litigant: User) -> Client:
    return signed_in(litigant)


def begin(browser: Client) -> Draft:
    response = browser.post(reverse("intake:start"))
    assert response.status_code == 302
    return Draft.objects.latest("pk")


def page(draft: Draft, name: str) -> str:
    return reverse("intake:step", args=[draft.public_id, name])


def answer(browser: Client, draft: Draft, name: str, data: dict[str, object]) -> HttpResponse:
    return browser.post(page(draft, name), data)


def answered(browser: Client, *, upto: str = "files") -> Draft:
    """A draft whose pages before `upto` are answered through the pages themselves."""
    draft = begin(browser)
    held = Membership.objects.filter(user=draft.user).latest("pk")
    answers = {
        "case": {"number": NUMBER},
        "who": {"membership": held.pk},
        "what": WHAT,
        "files": None,
        "prechain": {},
        "purpose": PURPOSE,
    }
    for name, data in answers.items():
        if name == upto:
            break
        if data is None:
            response = attach(browser, draft, ("page.txt", b"evidence"))
        else:
            response = answer(browser, draft, name, data)
        assert response.status_code == 302, (name, response.content.decode())
    draft.refresh_from_db()
    return draft


def attach(
    browser: Client, draft: Draft, *files: tuple[str, bytes], action: str = "upload", **more: object
) -> HttpResponse:
    """Files through the plain form."""
    sent = [SimpleUploadedFile(name, data, content_type="application/octet-stream") for name, data in files]
    return browser.post(page(draft, "files"), {"files": sent, "action": action, **more, **END})


@pytest.fixture
def ready(browser: Client) -> Draft:
    """A draft that only waits for its last page."""
    return answered(browser, upto="check")


class Device:
    """The script's side of the protocol, as plain requests."""

    def __init__(self, browser: Client, draft: Draft) -> None:
        self.browser, self.draft = browser, draft
        self.at = reverse("intake:uploads", args=[draft.public_id])

    def create(
        self, name: str, size: int, *, head: bytes | None = None, kind: str = "", **headers: str
    ) -> HttpResponse:
        import base64

        pairs = {"filename": name, "filetype": kind}
        if head is not None:
            pairs["head_sha256"] = sha256(head)
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items() if v)
        return self.browser.post(
            self.at,
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Length": str(size),
                "Upload-Metadata": metadata,
                **headers,
            },
        )

    def patch(
        self, location: str, data: bytes, *, offset: int, override: bool = True, **headers: str
    ) -> HttpResponse:
        method = self.browser.post if override else self.browser.patch
        sent = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), **headers}
        if override:
            sent["X-HTTP-Method-Override"] = "PATCH"
        return method(location, data, content_type="application/offset+octet-stream", headers=sent)

    def offset(self, location: str) -> int:
        response = self.browser.head(location)
        assert response.status_code == 200
        return int(response["Upload-Offset"])

    def digests(self, location: str, data: bytes, **other: str) -> HttpResponse:
        told = {"sha256": sha256(data), "sm3": sm3(data), **other}
        return self.browser.post(f"{location}digests/", json.dumps(told), content_type="application/json")

    def send(self, name: str, data: bytes, *, part: int = 5 << 20) -> HttpResponse:
        created = self.create(name, len(data))
        assert created.status_code == 201, created.content
        location = created["Location"]
        for start in range(0, len(data), part):
            response = self.patch(location, data[start : start + part], offset=start)
            assert response.status_code == 204, response.content
        return self.digests(location, data)


@pytest.fixture
def device(browser: Client) -> Device:
    return Device(browser, answered(browser))


def stored(directory: Path) -> list[str]:
    """Every object of the vault and every unfinished upload: what an outsider would find on disk."""
    if not directory.exists():
        return []
    return sorted(p.name for p in directory.rglob("*") if p.is_file())
