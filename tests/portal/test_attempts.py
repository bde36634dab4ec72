"""Guessing at the door: the limits hold in every process, for every spelling of a name, host and address."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from portal.people.attempts import CLEARED, Attempts
from portal.people.models import Attempt, User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"
TRIES, TRIES_PER_ADDRESS = 5, 10
"""What PORTAL's own settings promise: five wrong passwords for an account in five minutes, ten from an address in one."""


@pytest.fixture
def iris() -> User:
    return User.objects.create_user("iris", password=PASSWORD)


def enter(name: str = "iris", password: str = WRONG, *, address: str = "10.1.1.1", **headers: str) -> HttpResponse:
    return Client(REMOTE_ADDR=address, headers=headers).post(reverse("account_login"), {"login": name, "password": password})


def addresses() -> Iterator[str]:
    return (f"10.{a}.{b}.9" for a in range(1, 250) for b in range(1, 250))


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """How many passwords were really looked at."""
    looked: list[str] = []
    plain = User.check_password

    def check(self: User, raw: str) -> bool:
        looked.append(raw)
        return plain(self, raw)

    monkeypatch.setattr(User, "check_password", check)
    yield looked


def test_the_right_password_does_not_help_after_five_wrong_ones(iris: User) -> None:
    others = addresses()
    for _ in range(TRIES):
        assert enter(address=next(others)).status_code == 200
    assert enter(password=PASSWORD, address=next(others)).status_code == 200, "still shut"
    User.objects.create_user("other", password=PASSWORD)
    assert enter("other", PASSWORD, address=next(others)).status_code == 302, "for this account only"


def test_after_the_time_the_door_opens_again(iris: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(TRIES):
        enter()
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: 4e9)
    assert enter(password=PASSWORD).status_code == 302


@pytest.mark.parametrize("means", ["host", "name", "forwarded"])
def test_no_disguise_gives_another_five(iris: User, monkeypatch: pytest.MonkeyPatch, means: str) -> None:
    """The port of the Host header, other letters with the same capitals, an address one writes oneself.

    To see it fail: take portal.people.adapter out of the settings (host, name).
    """
    others = addresses()
    with counting(monkeypatch) as looked:
        for n in range(4 * TRIES):
            if means == "host":
                enter(address=next(others), host=f"localhost:{n + 1}")
            elif means == "name":
                enter(("iris", "IRIS", "Iris", "ırıs", "iriſ", "IrIs")[n % 6], address=next(others))
            else:
                enter(address=next(others), **{"x-forwarded-for": f"1.2.3.{n}"})
    assert len(looked) <= TRIES


def test_one_address_tries_ten_accounts_a_minute(iris: User) -> None:
    names = [User.objects.create_user(f"u{n}", password=PASSWORD).username for n in range(TRIES_PER_ADDRESS)]
    for n, name in enumerate(names):
        assert enter(name, **{"x-forwarded-for": f"1.2.3.{n}"}).status_code == 200
    assert enter("iris", PASSWORD).status_code == 200, "shut for this address, whatever it says of itself"
    assert enter("iris", PASSWORD, address="10.9.9.9").status_code == 302


@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_behind_the_proxy_its_own_word_counts_and_nobody_else_s(iris: User) -> None:
    """The last address is the proxy's; what stands before it, the sender wrote. To see it fail: take the first address."""
    proxy = "127.0.0.1"
    names = [User.objects.create_user(f"u{n}", password=PASSWORD).username for n in range(TRIES_PER_ADDRESS)]
    for n, name in enumerate(names):
        enter(name, address=proxy, **{"x-forwarded-for": f"1.2.3.{n}, 203.0.113.7"})
    assert enter("iris", PASSWORD, address=proxy, **{"x-forwarded-for": "9.9.9.9, 203.0.113.7"}).status_code == 200
    assert enter("iris", PASSWORD, address=proxy, **{"x-forwarded-for": "203.0.113.8"}).status_code == 302, "others may come in"


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_are_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, add one and write back would let all eight see none before them. To see it fail: make `add` always say True."""
    User.objects.create_user("iris", password=PASSWORD)

    def one(n: int) -> None:
        try:
            enter(address=f"10.2.2.{n}")
        finally:
            connections.close_all()

    with counting(monkeypatch) as looked, ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(16)))
    Attempt.objects.all().delete()
    assert 0 < len(looked) <= TRIES


@pytest.mark.parametrize(("name", "limit"), [("account_change_password", 5), ("account_reauthenticate", 10)])
def test_a_stolen_session_cannot_guess_the_password(iris: User, monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> None:
    with counting(monkeypatch) as looked:
        for n in range(2 * limit):
            client = Client(REMOTE_ADDR=f"10.3.3.{n}")
            client.force_login(iris)
            client.post(reverse(name), {"oldpassword": WRONG, "password": WRONG, "password1": "x", "password2": "x"})
    assert len(looked) <= limit


def test_new_accounts_are_counted_too() -> None:
    for n in range(21):
        form = {"username": f"new{n}", "password1": PASSWORD, "password2": PASSWORD}
        last = Client().post(reverse("account_signup"), form)
    assert last.status_code == 429 and User.objects.count() == 20
    assert "尝试次数过多" in last.content.decode()


# ── where they are counted ────────────────────────────────────────────────────────────────────────────────────────────


def test_another_process_sees_them_and_nothing_there_can_be_run(iris: User) -> None:
    """A pickle in a table is a program waiting for whoever may write the table."""
    enter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, value::text FROM people_attempt")
        rows = cursor.fetchall()
    assert rows and all(json.loads(value) is not None for _, value in rows)
    assert not any("iris" in key for key, _ in rows), "names are hashed"
    key = next(key.split(":", 2)[2] for key, _ in rows if "login_failed" in key)
    assert Attempts("", {}).get(key) == cache.get(key) != None  # noqa: E711


def test_the_clock_is_the_database_s_and_the_old_goes_by_itself() -> None:
    assert cache.add("a", [1.5], 60) and not cache.add("a", [2], 60) and cache.get("a") == [1.5]
    Attempt.objects.update(expires_at="2000-01-01T00:00:00Z")
    assert cache.get("a") is None and cache.add("a", [3], 60) and cache.get("a") == [3]
    for n in range(3 * CLEARED):
        cache.set(f"k{n}", 1, 60)
    Attempt.objects.update(expires_at="2000-01-01T00:00:00Z")
    for n in range(4):
        cache.set(f"new{n}", 1, 60)
    assert Attempt.objects.count() == 4
    assert cache.delete("new0") and not cache.delete("new0")
    cache.clear()
    assert not Attempt.objects.exists()
    with pytest.raises(ValueError, match="forgotten"):
        cache.set("forever", 1, None)
