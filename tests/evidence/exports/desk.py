"""An export desk: a case with signed reports on verdicts that the engine found under a trust store of its own."""

import hashlib
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from cases.models import Case, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.exports import queue, working
from evidence.exports.models import Export
from evidence.reports import bundle
from evidence.reports.models import Report
from evidence.runs.models import Run, RunVerdict
from evidence.verification import Exhibit as Material
from evidence.verification import Source, TrustStore, verify
from portal.people.models import User
from portal.vault import Vault
from tests import courtroom
from tests.anchor_packs import write_pack
from tests.evidence.reports.test_bundle import AT, ROOT
from tests.evidence.verification.test_command_line import run

EVIL = '=HYPERLINK("http://x")'


class Desk:
    def __init__(self, store: Path) -> None:
        self.store = store
        self.case: Case = courtroom.case()
        self.clerk: User = courtroom.person("clerk")
        self.party = courtroom.person("party")
        courtroom.join(self.clerk, self.case, Role.CLERK)
        courtroom.join(self.party, self.case, Role.LITIGANT, Side.PLAINTIFF)

    def exhibit(self, **fields: Any) -> Exhibit:
        return courtroom.hand_in(self.case, self.party, **fields)

    def verified(self, exhibit: Exhibit) -> RunVerdict:
        """As the worker does it."""
        done = courtroom.run(exhibit, state=Run.State.RUNNING)
        vault = Vault(bundle.settings.PORTAL_VAULT_DIR)
        sources = bundle.given.sources(done.pk)
        found = verify(Material.of(Source.from_path(vault.path(s.sha256), name=s.name) for s in sources), TrustStore.load(self.store), AT)
        return courtroom.conclude(done, found)

    def reported(self, *exhibits: Exhibit, number: str = "HY2026-000001", **fields: Any) -> Report:
        return courtroom.report(self.case, self.clerk, *(self.verified(e) for e in exhibits), number=number, **fields)

    def order(self, *exhibits: Exhibit, by: User | None = None, **options: Any) -> Export:
        chosen = Exhibit.objects.filter(pk__in=[e.pk for e in exhibits])
        return queue.order(self.case, Exhibit.objects.filter(case=self.case) if options.get("whole") else chosen, by=by or self.clerk, **options)

    def made(self, *exhibits: Exhibit, **options: Any) -> Export:
        ordered = self.order(*exhibits, **options)
        while working.work_once():
            pass
        ordered.refresh_from_db()
        return ordered


def repeated(inner: Path, *more: str | Path) -> subprocess.CompletedProcess[bytes]:
    """The command for outsiders, with the digest that a report would print."""
    with zipfile.ZipFile(inner) as archive:
        digest = hashlib.sha256(archive.read("bundle.json")).hexdigest()
    return run("--json", "--digest", digest, inner, *more)


def settle(settings: Any, tmp_path: Path) -> Path:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_EXPORT_DIR = tmp_path / "exports"
    settings.PORTAL_TRUST_DIR = write_pack(tmp_path / "pack", tsa_roots=[ROOT.pem])
    return tmp_path / "pack"
