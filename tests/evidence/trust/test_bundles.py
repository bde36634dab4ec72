"""A result found under a published pack, repeated elsewhere under the court's signature."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence.reports import bundle
from evidence.runs.models import Run
from evidence.trust import packs
from evidence.verification import Exhibit, Source, verify
from portal.vault import Vault
from tests import courtroom
from tests.evidence.verification.test_command_line import run

from .conftest import Keepers, published

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_repeated_under_the_signature_of_the_court(keepers: Keepers, settings: Any, tmp_path: Path) -> None:
    pack = published(keepers)
    published(keepers, {"platforms.json": b'{"platforms": []}'})  # the one in force by now is another
    exhibit = courtroom.hand_in(courtroom.case(1), courtroom.person("party"))
    done = courtroom.run(exhibit, state=Run.State.RUNNING)
    vault = Vault(settings.PORTAL_VAULT_DIR)
    sources = [Source.from_path(vault.path(s.sha256), name=s.name) for s in bundle.given.sources(done.pk)]
    verdict = courtroom.conclude(done, verify(Exhibit.of(sources), packs.contents(pack).store(), AT))
    assert verdict.trust_sha256 == pack.sha256
    plan = bundle.plan("HY2026-000001", [("原告证据1", verdict)])
    with (tmp_path / "b.zip").open("wb") as out:
        bundle.write(plan, out, name="b.zip", hand_out=lambda e: True)
    key = settings.PORTAL_TRUST_KEY_DIR / "pack.vkey"
    answer = run("--json", "--trust-key", key, tmp_path / "b.zip")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, bytes(verdict.document) + b"\n", b"")
