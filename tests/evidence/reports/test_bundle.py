"""From rows of the record to an archive, and from the archive back to the same bytes by the command that outsiders use."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence.reports import bundle
from evidence.runs.models import Run, RunVerdict
from evidence.verification import Exhibit, Source, TrustStore, verify
from portal.vault import Vault
from tests import courtroom
from tests.anchor_packs import write_pack
from tests.evidence.verification.authority import TIME_STAMPING, TokenPlan, issue, response
from tests.evidence.verification.test_command_line import run

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGE = "网页快照\n".encode()
ROOT = issue("TSA root", ca=True)
TSA = issue("TSA 1", by=ROOT, eku=[TIME_STAMPING])
TOKEN = response(TokenPlan(PAGE, TSA, embed=(TSA.der,)))
ANSWER = b'{"asked": 1}'
FILES = {"../网页.html": PAGE, "court-node/time.tsr": TOKEN}
"""Labels of a party: one like a path, one that imitates the court's own."""


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_TRUST_DIR = write_pack(tmp_path / "pack", tsa_roots=[ROOT.pem])
    return tmp_path / "pack"


def verified(store: Path, number: int = 1, **files: bytes) -> RunVerdict:
    """As the worker does it: the files of the exhibit and what a node answered, under their labels of the record."""
    case, party = courtroom.case(number), courtroom.person(f"party-{number}")
    exhibit = courtroom.hand_in(case, party, files=files or FILES)
    done = courtroom.run(exhibit, state=Run.State.RUNNING, obtained={"court-node/answer.json": ANSWER})
    sources = bundle.given.sources(done.pk)
    vault = Vault(bundle.settings.PORTAL_VAULT_DIR)
    found = verify(Exhibit.of(Source.from_path(vault.path(s.sha256), name=s.name) for s in sources), TrustStore.load(store), AT)
    return courtroom.conclude(done, found)


def archive(plan: bundle.Plan, path: Path, **options: Any) -> Path:
    with path.open("wb") as out:
        bundle.write(plan, out, name=path.name, **{"hand_out": lambda exhibit: True, **options})
    return path


def test_there_and_back(store: Path, tmp_path: Path) -> None:
    verdict = verified(store)
    plan = bundle.plan("HY2026-000001", [("原告证据1", verdict)])
    annex = json.dumps({"reverify": {"bundle_digest": plan.sha256}}).encode()
    done = run("--json", "--digest", plan.sha256, archive(plan, tmp_path / "b.zip", annex=annex, report=b"%PDF-"))
    assert (done.returncode, done.stdout, done.stderr) == (0, bytes(verdict.document) + b"\n", b"")
    labels = [s["name"] for s in json.loads(done.stdout)["sources"]]
    assert labels == ["../网页.html", "court-node/answer.json", "court-node／time.tsr"]


def test_the_same_record_gives_the_same_bytes(store: Path, tmp_path: Path) -> None:
    verdict = verified(store)
    plans = [bundle.plan("HY2026-000001", [("原告证据1", verdict)]) for _ in range(2)]
    first, second = (archive(p, tmp_path / f"{n}.zip", annex=None).read_bytes() for n, p in enumerate(plans))
    assert first.replace(b"0.zip", b"1.zip") != first and plans[0].sha256 == plans[1].sha256
    names = [i.filename for i in zipfile.ZipFile(io.BytesIO(first)).infolist()]
    assert names[:2] == ["bundle.json", "README.txt"] and names[2:] == sorted(names[2:])
    assert archive(plans[1], tmp_path / "0.zip").read_bytes() == first


def test_digests_alone_where_the_files_may_not_go_along(store: Path, tmp_path: Path) -> None:
    """One plan, one digest, whoever gets the archive."""
    open_, closed = verified(store, 1), verified(store, 2, **{"secret.html": PAGE + b"secret"})
    plan = bundle.plan("HY2026-000002", [("原告证据1", open_), ("原告证据2", closed)])
    sealed = archive(plan, tmp_path / "b.zip", hand_out=lambda exhibit: exhibit.pk == open_.run.exhibit_id)
    assert b"secret" not in sealed.read_bytes().replace(b"secret.html", b"")
    assert hashlib.sha256(zipfile.ZipFile(sealed).read("bundle.json")).hexdigest() == plan.sha256
    done = run("--lang", "en", sealed)
    text = done.stdout.decode()
    assert done.returncode == 2 and text.count("byte for byte") == 1 and "secret.html" in text


def test_a_file_that_two_exhibits_share_goes_along_if_one_of_them_may(store: Path, tmp_path: Path) -> None:
    """The bytes are those of the exhibit that is open; nothing more is told."""
    one, two = verified(store, 1), verified(store, 2)
    plan = bundle.plan("HY2026-000003", [("甲1", one), ("甲2", two)])
    found = zipfile.ZipFile(archive(plan, tmp_path / "b.zip", hand_out=lambda e: e.pk == one.run.exhibit_id)).namelist()
    assert len(found) == len(set(found)) and f"blobs/{hashlib.sha256(PAGE).hexdigest()}" in found


def test_a_trust_store_that_is_gone_is_said_and_nothing_is_made(store: Path, settings: Any, tmp_path: Path) -> None:
    verdict = verified(store)
    settings.PORTAL_TRUST_DIR = write_pack(tmp_path / "another")
    with pytest.raises(bundle.BundleFault, match="never published"):
        bundle.plan("HY2026-000004", [("原告证据1", verdict)])
    settings.PORTAL_TRUST_DIR = tmp_path / "nowhere"
    with pytest.raises(bundle.BundleFault):
        bundle.plan("HY2026-000004", [("原告证据1", verdict)])


def test_progress_is_told_in_bytes(store: Path, tmp_path: Path) -> None:
    told: list[int] = []
    plan = bundle.plan("HY2026-000005", [("原告证据1", verified(store))])
    archive(plan, tmp_path / "b.zip", advance=told.append)
    assert told == sorted(told) and told[-1] == len(PAGE) + len(TOKEN) + len(ANSWER)
