"""A whole report of a court that holds an SM2 seal: ordered, printed with the field, sealed twice, and listed with both certificates."""

from pathlib import Path
from typing import Any

import pytest

from evidence.reports import checking, decisions, issuing
from portal.vault import Vault

from . import life
from .test_sm2_seal import make

pytestmark = [pytest.mark.django_db, pytest.mark.needs("openssl")]


def test_a_report_with_two_seals_from_order_to_check(desk: Path, court_keys: Path, settings: Any) -> None:
    settings.PORTAL_SIGNING_DIR = court_keys
    make(court_keys)
    court = life.Court()
    made = issuing.produce(court.order().pk)
    assert made.state == "draft", made.fault
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    made = issuing.produce(made.pk)
    assert (made.state, made.signature_level) == ("signed", "PAdES-B-LTA"), made.fault
    assert list(made.signatures.values_list("field", flat=True)) == ["CourtSeal", "CourtSealSM2", "DocTS1"]
    assert made.signatures.get(field="CourtSealSM2").subject.endswith("SM2 E-SEAL")
    with Vault(settings.PORTAL_VAULT_DIR).open(made.signed_sha256) as stream:
        pdf = stream.read()
    assert checking.check(pdf, keys=court_keys) == []
    (desk / "two-seals.pdf").write_bytes(pdf)


def test_the_seal_that_went_between_draft_and_signature_is_not_promised(desk: Path, court_keys: Path, settings: Any) -> None:
    """What was checked said nothing of it; the print for signing asks anew, and both sides ask the same file."""
    settings.PORTAL_SIGNING_DIR = court_keys
    make(court_keys)
    court = life.Court()
    made = issuing.produce(court.order().pk)
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    (court_keys / "seal-sm2.key").unlink()
    made = issuing.produce(made.pk)
    assert made.state in ("signed", "failed"), made.fault
    if made.state == "signed":
        assert "CourtSealSM2" not in made.signatures.values_list("field", flat=True)
