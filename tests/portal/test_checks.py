"""Each start-up check is silent on a sound machine, and on an unsound one names the thing and the command."""

import os
import sys
from pathlib import Path

import pytest

from evidence.verification import selftest
from evidence.verification.selftest import signatures
from portal import checks


def ids(messages: list[object]) -> list[str]:
    return [message.id for message in messages]  # type: ignore[attr-defined]


@pytest.fixture
def production(settings: object, tmp_path: Path) -> object:
    settings.PORTAL_DEMO = False  # type: ignore[attr-defined]
    settings.PORTAL_SIGNING_DIR = tmp_path / "signing"  # type: ignore[attr-defined]
    settings.SECRET_KEY = "".join(chr(33 + n % 90) for n in range(64))  # type: ignore[attr-defined]
    settings.ALLOWED_HOSTS = ["evidence.court.example"]  # type: ignore[attr-defined]
    settings.SECURE_TLS = True  # type: ignore[attr-defined]
    return settings


def test_this_machine_is_sound() -> None:
    assert checks.fonts_present(None) == []
    assert checks.compiler_loadable(None) == []
    assert checks.data_directory_writable(None) == []


def test_the_fonts_asked_for_are_those_the_set_up_makes() -> None:
    maker = (Path(checks.__file__).parent / "frontend" / "fonts.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in maker for name in checks.FONTS)


def test_a_missing_font_is_named(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in checks.FONTS[1:]:
        (tmp_path / name).touch()
    settings.PORTAL_FONT_DIR = tmp_path
    [found] = checks.fonts_present(None)
    assert checks.FONTS[0] in found.msg and checks.FONTS[1] not in found.msg
    assert "deploy/setup" in found.hint


def test_a_layout_engine_that_does_not_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    [found] = checks.compiler_loadable(None)
    assert found.id == "portal.E002"
    assert "typst" in found.msg and "deploy/setup" in found.hint


def test_the_data_directory_may_be_absent_where_it_can_be_made(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_DATA_DIR = tmp_path / "a" / "b"
    assert checks.data_directory_writable(None) == []


def test_a_data_directory_that_cannot_be_written_is_described(settings, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_DATA_DIR = tmp_path
    tmp_path.chmod(0o555)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    [found] = checks.data_directory_writable(None)
    assert str(tmp_path) in found.msg and "mode 0555" in found.msg and "user id" in found.msg
    assert "install -d -o" in found.hint


def test_a_data_directory_open_to_all_is_refused(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_DATA_DIR = tmp_path
    tmp_path.chmod(0o777)
    assert ids(checks.data_directory_writable(None)) == ["portal.E005"]


def test_a_trust_store_that_does_not_load_is_refused(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_TRUST_DIR = tmp_path
    [found] = checks.trust_store_readable(None)
    assert found.id == "portal.E006"
    assert "PORTAL_TRUST_DIR" in found.hint


def test_production_needs_its_signing_key(production, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert ids(checks.signing_key_present(None)) == ["portal.E007"]
    key = tmp_path / "signing" / "seal.pem"
    key.parent.mkdir()
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    key.chmod(0o644)
    [found] = checks.signing_key_present(None)
    assert found.id == "portal.E008"
    assert f"chmod 0600 {key}" in found.hint
    key.chmod(0o600)
    assert checks.signing_key_present(None) == []


def test_the_demonstration_needs_no_key_and_no_secret(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_DEMO = True
    settings.PORTAL_SIGNING_DIR = tmp_path / "none"
    assert checks.signing_key_present(None) == []
    assert checks.production_complete(None) == []


def test_production_as_it_should_be(production) -> None:  # type: ignore[no-untyped-def]
    assert checks.production_complete(None) == []


def test_production_is_told_what_is_missing(production) -> None:  # type: ignore[no-untyped-def]
    production.SECRET_KEY = "a" * 64
    production.ALLOWED_HOSTS = []
    production.SECURE_TLS = False
    assert ids(checks.production_complete(None)) == ["portal.E009", "portal.E010", "portal.W001"]


def test_an_engine_that_fails_its_known_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.engine_gives_its_known_answers(None) == []
    selftest._family.cache_clear()
    monkeypatch.setitem(signatures.CASES, "broken for the test", lambda: False)
    try:
        [found] = checks.engine_gives_its_known_answers(None)
    finally:
        selftest._family.cache_clear()
    assert found.id == "portal.E011"
    assert "signatures: broken for the test" in found.msg
