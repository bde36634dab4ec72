"""The start-up checks of the court's nodes: silent when all is well, and otherwise they name the thing."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from evidence.connectors.checks import connectors_sound

from .node_servers import configuration, entry, identity


@pytest.fixture
def listed(settings: Settings, tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(**changes: object) -> list[str]:
        settings.PORTAL_CONNECTORS = str(configuration(tmp_path, entry(1, **changes)))
        return [str(m.id) for m in connectors_sound(None)]

    return write


def tls(folder: Path) -> dict[str, object]:
    identity(folder / "node")
    return {"url": "https://127.0.0.1:1", "ca": "node/certificate.pem"}


def test_no_configuration_and_a_sound_one(settings: Settings, tmp_path: Path, listed) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_CONNECTORS = ""
    assert connectors_sound(None) == []
    assert listed(**tls(tmp_path)) == []
    assert listed(enabled=False) == []


def test_what_is_wrong_has_its_number(settings: Settings, tmp_path: Path, listed) -> None:  # type: ignore[no-untyped-def]
    assert listed() == ["portal.W020"]
    assert listed(id="NOT GOOD") == ["portal.E020"]
    assert listed(url="https://127.0.0.1:1", ca="absent.pem") == ["portal.E022"]
    (tmp_path / "junk.pem").write_text("junk")
    assert listed(url="https://127.0.0.1:1", ca="junk.pem") == ["portal.E022"]
    listed(**tls(tmp_path))
    Path(settings.PORTAL_CONNECTORS).chmod(0o666)
    assert [m.id for m in connectors_sound(None)] == ["portal.E021"]
    settings.PORTAL_CONNECTORS = str(tmp_path / "absent.json")
    [missing] = connectors_sound(None)
    assert missing.id == "portal.E020" and "absent.json" in missing.msg


def test_keys_are_the_courts_alone(tmp_path: Path, listed) -> None:  # type: ignore[no-untyped-def]
    public, secret = identity(tmp_path / "member")
    member = {"org_id": "court", "kind": "certificate", "certificate": "member/certificate.pem", "key": "member/key.pem"}
    changes = {**tls(tmp_path), "url": "grpcs://127.0.0.1:1", "family": "chainmaker", "group_id": "", "member": member}
    secret.chmod(0o640)
    assert listed(**changes) == ["portal.E024"]
    secret.chmod(0o600)
    assert listed(**changes) == []
    secret.unlink()
    public.unlink()
    assert listed(**changes) == ["portal.E023", "portal.E025"]
