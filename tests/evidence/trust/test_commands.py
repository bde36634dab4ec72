"""The trust store at the console, and what the start-up checks say of it."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

from cases.models import Office
from evidence.trust import checks, drafts, packs
from evidence.trust.models import Draft, Pack
from evidence.verification.trust import TrustStore
from portal.ledger.models import Detail
from tests.anchor_packs import write_pack
from tests.evidence.verification import authority

from .conftest import PLATFORM, Keepers, proposed, published

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]


def said(*command: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def test_the_first_store_is_published_by_two_people_once(keepers: Keepers, first: Path) -> None:
    both = ["--proposed-by", "ada", "--approved-by", "bo"]
    for wrong in (["--proposed-by", "ada", "--approved-by", "ada"], ["--proposed-by", "joe", "--approved-by", "bo"], ["--proposed-by", "ada", "--approved-by", "sue"], ["--proposed-by", "ada", "--approved-by", "nobody"]):
        with pytest.raises(CommandError):
            said("trust_publish", *wrong)
    assert not Pack.objects.exists() and not Draft.objects.exists(), "nothing half done"
    assert TrustStore.load(first).digest in said("trust_publish", *both)
    act = json.loads(Detail.objects.get(act="trust.publish").params)
    assert act["door"] == "console" and act["approver"] == str(keepers.bo.public_id)
    with pytest.raises(CommandError, match="is in force"):
        said("trust_publish", *both)


def test_an_import_makes_a_draft_and_publishes_nothing(keepers: Keepers, tmp_path: Path) -> None:
    published(keepers)
    other = write_pack(tmp_path / "other", platforms=[{**PLATFORM, "id": "x"}])
    with pytest.raises(CommandError, match="office"):
        said("trust_import", str(other), "--by", "joe")
    assert "/trust/drafts/" in said("trust_import", str(other), "--by", "ada")
    draft = Draft.objects.order_by("-pk")[0]
    assert draft.state == Draft.State.EDITING and drafts.latest(draft).sha256 == TrustStore.load(other).digest
    assert Pack.objects.count() == 1
    (other / "x.pem").write_bytes(b"")
    with pytest.raises(CommandError, match=r"x\.pem"):
        said("trust_import", str(other), "--by", "ada")


@pytest.mark.parametrize("form", ["folder", "pack.zip"])
def test_an_export_is_what_anybody_verifies_with(keepers: Keepers, tmp_path: Path, settings: Any, form: str) -> None:
    """Out of the portal, back in, and in front of the engine with the court's key, and with another key."""
    pack = published(keepers)
    said("trust_export", "--pack", pack.sha256[:10], str(tmp_path / form))
    if form == "folder":
        assert TrustStore.load(tmp_path / form).digest == pack.sha256
        file = tmp_path / "x.txt"
        file.write_text("x")
        wrong = tmp_path / "wrong.vkey"
        wrong.write_text((Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.vkey").read_text().replace("+", "x+", 1))
        for key, status in ((Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.vkey", 2), (wrong, 64), (tmp_path / "none", 64)):
            found = subprocess.run(
                [sys.executable, "-m", "evidence.verification", "--trust", str(tmp_path / form), "--trust-key", str(key), str(file)],
                cwd=ROOT, capture_output=True, text=True,
            )  # fmt: skip
            assert found.returncode == status, found.stderr
    said("trust_import", str(tmp_path / form), "--by", "ada")
    with pytest.raises(CommandError):
        said("trust_export", str(tmp_path / form))
    with pytest.raises(CommandError):
        said("trust_export", "--pack", "0" * 64, str(tmp_path / "elsewhere"))


def test_offices_are_given_and_ended_at_the_console(keepers: Keepers) -> None:
    said("office", "give", "joe", "auditor")
    said("office", "give", "joe", "auditor")
    assert Office.objects.filter(user=keepers.joe).count() == 1
    assert "auditor\tjoe" in said("office", "list")
    said("office", "end", "joe", "auditor")
    assert "joe" not in said("office", "list")
    for wrong in (("give", "nobody", "auditor"), ("end", "joe", "auditor"), ("give", "joe")):
        with pytest.raises(CommandError):
            said("office", *wrong)
    assert [d.act for d in Detail.objects.filter(actor="").order_by("pk")][-2:] == ["office.give", "office.end"]


# ── start-up checks ───────────────────────────────────────────────────────────────────────────────────────────────────


def ids() -> list[str]:
    return [str(m.id) for m in checks.pack_in_force(None, databases=["default"])]


def test_the_start_up_checks_tell_what_is_wrong(keepers: Keepers, settings: Any) -> None:
    assert checks.pack_in_force(None) == []
    assert ids() == ["portal.W002"], "no two people have approved it"
    pack = published(keepers)
    assert ids() == []
    published(keepers, {"platforms.json": json.dumps({"platforms": [{**PLATFORM, "checked_on": "2020-01-01"}]}).encode()})
    assert ids() == ["portal.W003"]
    pack = Pack.objects.order_by("-number")[0]
    folder = packs.shelf() / pack.sha256
    vkey = Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.vkey"
    text = vkey.read_text()
    vkey.unlink()
    assert ids() == ["portal.E030"]
    vkey.write_text(text)
    (folder / "platforms.json").chmod(0o644)
    (folder / "platforms.json").write_bytes(b"{}")
    [found] = checks.pack_in_force(None, databases=["default"])
    assert found.id == "portal.E030" and "platforms.json" in found.msg


def test_a_database_behind_the_disk_is_told(keepers: Keepers) -> None:
    """A restored backup would bring back a store that was replaced for a reason."""
    published(keepers)
    assert ids() == []
    link = packs.shelf() / "in-force"
    link.unlink()
    link.symlink_to("f" * 64)
    assert ids() == ["portal.W005"]


def test_places_and_keys(keepers: Keepers, settings: Any) -> None:
    published(keepers)
    assert checks.places_and_keys(None) == []
    key = Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.key"
    key.chmod(0o640)
    settings.PORTAL_TRUST_DIR = packs.shelf()
    assert [m.id for m in checks.places_and_keys(None)] == ["portal.E031", "portal.E032"]


def test_a_revocation_list_that_ran_out_is_told(keepers: Keepers) -> None:
    holder = authority.issue("Some seal authority", ca=True)
    builder = x509.CertificateRevocationListBuilder().issuer_name(holder.certificate.subject)
    for days, found in ((10, []), (-10, ["portal.W004"])):
        end = datetime.now(UTC) + timedelta(days=days)
        listed = builder.last_update(end - timedelta(days=30)).next_update(end).sign(holder.key, hashes.SHA256())
        published(keepers, {"seals/crls/x.crl": listed.public_bytes(Encoding.DER)})
        assert ids() == found


def test_a_key_made_by_another_hand_is_not_taken_for_the_court_s(keepers: Keepers, settings: Any) -> None:
    """A verifying key without its signing key: publication stops, it does not make a second pair."""
    folder = Path(settings.PORTAL_TRUST_KEY_DIR)
    folder.mkdir(parents=True)
    (folder / "pack.vkey").write_text("court.example/trust+00000000+AAAA\n")
    draft = proposed(keepers)
    with pytest.raises(Exception, match=r"pack\.vkey"):
        drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo)
    assert not Pack.objects.exists()
