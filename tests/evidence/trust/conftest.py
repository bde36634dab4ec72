"""A portal whose first trust store is a small pack in a folder, and the people of the court who may touch it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cases.models import Office
from evidence.trust import drafts
from evidence.trust.models import Draft, Pack
from portal.people.models import User
from tests import courtroom
from tests.anchor_packs import write_pack
from tests.evidence.verification import fisco3_exhibits as block

PLATFORM: dict[str, Any] = {
    "id": "zhixin",
    "title": {"zh": "某某存证平台", "en": "Some platform"},
    "operator": "op-a",
    "hosts": ["evidence.example"],
    "registration": "备案 1 号",
    "checked_on": "2026-11-01",
}


@dataclass
class Keepers:
    """`ada` and `bo` may propose and approve; `sue` may look; `joe` is of the court and may nothing here."""

    ada: User
    bo: User
    sue: User
    joe: User

    def client(self, name: str) -> Client:
        client = Client()
        client.force_login(getattr(self, name))
        return client


@pytest.fixture
def first(tmp_path: Path, settings: Any) -> Path:
    """The folder of the first trust store, and all of the portal's directories of its own."""
    chain = block.built()
    settings.PORTAL_DATA_DIR = tmp_path / "data"
    settings.PORTAL_VAULT_DIR = tmp_path / "data" / "vault"
    settings.PORTAL_TRUST_KEY_DIR = tmp_path / "keys"
    settings.PORTAL_TRUST_DIR = write_pack(
        tmp_path / "first",
        platforms=[PLATFORM],
        chains={"demo": {"profile": chain.profile, "validators": chain.validators}},
    )
    return settings.PORTAL_TRUST_DIR  # type: ignore[no-any-return]


@pytest.fixture
def keepers(first: Path, db: None) -> Keepers:
    people = {name: courtroom.person(name, court_staff=True) for name in ("ada", "bo", "sue", "joe")}
    Office.give(people["ada"], Office.Post.SYSADMIN)
    Office.give(people["bo"], Office.Post.AUDITOR)
    Office.give(people["sue"], Office.Post.SUPERVISOR)
    return Keepers(**people)


def proposed(keepers: Keepers, members: dict[str, bytes | None] | None = None) -> Draft:
    """A draft of ada's, proposed; without members, of the first pack as it is."""
    draft = drafts.start("一次变更", by=keepers.ada)
    if members is not None:
        drafts.change(draft, members, what="变更", source="试验", by=keepers.ada)
    drafts.propose(draft, by=keepers.ada)
    draft.refresh_from_db()
    return draft


def published(keepers: Keepers, members: dict[str, bytes | None] | None = None) -> Pack:
    draft = proposed(keepers, members)
    return drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo)
