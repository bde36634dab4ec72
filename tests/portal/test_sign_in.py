"""The frame of every page: sign-in, the demonstration's door, error pages, language, what the browser is told."""

import re

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from portal.people.demonstration import PEOPLE
from portal.people.models import User

pytestmark = pytest.mark.django_db


def _person(username: str, **fields: object) -> User:
    return User.objects.create_user(username, password="correct horse battery", full_name="某人", **fields)


# ── the demonstration's door ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_door_opens_for_the_demonstration_s_people_only(client: Client) -> None:
    """To see it fail: sign in whatever username is asked for."""
    _person("judge")
    _person("somebody")
    assert client.post(reverse("demo_sign_in"), {"person": "somebody"}).status_code == 404
    assert client.post(reverse("demo_sign_in"), {"person": "clerk"}).status_code == 404  # on the list, but has no account here
    assert "_auth_user_id" not in client.session
    assert client.post(reverse("demo_sign_in"), {"person": "judge"}).status_code == 302
    assert client.session["_auth_user_id"]


def test_the_door_is_a_wall_outside_the_demonstration(client: Client) -> None:
    _person("judge")
    with override_settings(PORTAL_DEMO=False):
        assert client.post(reverse("demo_sign_in"), {"person": "judge"}).status_code == 404
        page = client.get(reverse("account_login")).content.decode()
    assert "_auth_user_id" not in client.session
    assert "demonstration/" not in page and "DEMONSTRATION" not in page


def test_the_door_takes_no_get_and_no_closed_account(client: Client) -> None:
    _person("judge", is_active=False)
    assert client.get(reverse("demo_sign_in")).status_code == 405
    assert client.post(reverse("demo_sign_in"), {"person": "judge"}).status_code == 404


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_the_door_leads_nowhere_else(client: Client, target: str) -> None:
    _person("judge")
    response = client.post(reverse("demo_sign_in"), {"person": "judge", "next": target})
    assert response["Location"] == reverse("home")


def test_the_door_leads_on_to_where_one_was_going(client: Client) -> None:
    _person("judge")
    assert client.post(reverse("demo_sign_in"), {"person": "judge", "next": "/cases/x/"})["Location"] == "/cases/x/"


def test_the_door_needs_the_page_s_own_form() -> None:
    _person("judge")
    assert Client(enforce_csrf_checks=True).post(reverse("demo_sign_in"), {"person": "judge"}).status_code == 403


def test_the_sign_in_page_lists_them_with_one_sentence_each(client: Client) -> None:
    for person in PEOPLE:
        _person(person.username)
    page = client.get(reverse("account_login")).content.decode()
    for person in PEOPLE:
        assert f'value="{person.username}"' in page and str(person.sentence) in page


# ── signing in with a password ────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_is_said_in_words_and_names_nobody(client: Client) -> None:
    _person("judge")
    pages = [
        client.post(reverse("account_login"), {"login": name, "password": "wrong wrong wrong"}).content.decode()
        for name in ("judge", "nobody-of-that-name")
    ]
    errors = [re.findall(r"govuk-error-summary__list.*?</ul>", page, re.S) for page in pages]
    assert errors[0] == errors[1] and errors[0] and re.search(r"<title>\s*错误：", pages[0])


def test_sign_in_and_out(client: Client) -> None:
    _person("judge")
    response = client.post(reverse("account_login"), {"login": "judge", "password": "correct horse battery"})
    assert response["Location"] == reverse("home")
    assert client.post(reverse("account_logout"))["Location"] == reverse("account_login")
    assert client.get(reverse("home")).status_code == 302


def test_nobody_becomes_court_staff_by_signing_up(client: Client) -> None:
    form = {"username": "newcomer", "password1": "correct horse battery", "password2": "correct horse battery"}
    client.post(reverse("account_signup"), {**form, "court_staff": "on", "is_staff": "on", "is_superuser": "on"})
    user = User.objects.get(username="newcomer")
    assert not (user.court_staff or user.is_staff or user.is_superuser)


# ── the frame ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/nothing-here"])
def test_every_page_has_its_frame(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert page.count("<h1") == 1 and page.count("<main") == 1 and page.count("<header") == 1
    assert 'href="#main"' in page and 'id="main"' in page
    assert "DEMONSTRATION" in page and "对证据的认定由法庭作出" in page
    assert re.search(r"<title>[^<]+ · 明鉴</title>", page)


def test_the_content_policy_allows_nothing_inline(client: Client) -> None:
    response = client.get(reverse("account_login"))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
    page = response.content.decode()
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page)
    assert not [s for s in re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.S) if s[1].strip() or "src=" not in s[0]]
    assert '"allowEval":false' in page and '"includeIndicatorStyles":false' in page


def test_the_language_is_chosen_by_the_person_and_kept(client: Client) -> None:
    assert 'lang="zh-Hans"' in client.get(reverse("account_login")).content.decode()
    back = client.post(reverse("set_language"), {"language": "en"}, headers={"referer": "http://testserver/accounts/login/"})
    assert back["Location"].endswith("/accounts/login/")
    assert '<html class="govuk-template" lang="en">' in client.get(reverse("account_login")).content.decode()


def test_a_fault_of_ours_says_so_in_both_languages_and_shows_nothing_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("cases.catalogue.capacity", broken)
    client.force_login(_person("judge"))
    client.raise_request_exception = False
    response = client.get(reverse("home"))
    page = response.content.decode()
    assert response.status_code == 500 and "secret" not in page
    assert "系统出错" in page and "Something went wrong" in page and page.count("<h1") == 1


def test_an_outdated_form_is_explained(client: Client) -> None:
    page = Client(enforce_csrf_checks=True).post(reverse("account_login"), {})
    assert page.status_code == 403 and "页面已过期" in page.content.decode()


def test_pages_of_a_case_are_not_left_behind_in_the_browser(client: Client) -> None:
    """Court computers are shared: after signing out, going back shows nothing. To see it fail: take @never_cache off."""
    client.force_login(_person("judge"))
    assert "no-store" in client.get(reverse("home"))["Cache-Control"]


def test_an_account_without_a_password_may_set_one(client: Client) -> None:
    """The demonstration's people have none. To see it fail: leave the page out of the addresses."""
    user = User.objects.create_user("judge", password=None, full_name="某人")
    client.force_login(user)
    page = client.get(reverse("account_change_password"), follow=True)
    assert page.status_code == 200 and "这个账号还没有密码" in page.content.decode()
