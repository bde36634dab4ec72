"""A signing directory, a renderer and whole reports, each made once for the run."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from evidence.reports import anchors, bell, checking, edition, issuing, rendering, signing
from evidence.reports.models import Report
from portal.demonstration import authority
from tests import courtroom

from . import life

FONTS = Path(__file__).parents[3] / "portal" / "fonts" / "build"
ISSUED = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration authority of its own: e-seal, local time-stamps, root, revocation list."""
    directory = tmp_path_factory.mktemp("signing")
    authority.ensure(directory, at=datetime.now(UTC), people=PEOPLE)
    return directory


@pytest.fixture
def court_keys(keys: Path, tmp_path: Path) -> Path:
    """A copy of the run's signing directory that a test may spoil."""
    copied = tmp_path / "keys"
    shutil.copytree(keys, copied)
    return copied


@pytest.fixture(scope="session")
def font_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fontcache")


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Prints a document of a few lines in the house style: the body in Typst, `data` beside the language."""
    root = tmp_path_factory.mktemp("typeset")
    shutil.copytree(rendering.TEMPLATES, root, dirs_exist_ok=True)

    def made(body: str, *, data: dict[str, Any] | None = None, **options: Any) -> bytes:
        (root / "test.typ").write_text(
            f'#import "/house.typ": *\n#show: house.with(title: "试验", author: "试验", description: "试验")\n{body}\n', encoding="utf-8"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rendering, "TEMPLATES", root)
            return rendering.render("test.typ", {"language": "zh-en", **(data or {})}, fonts=FONTS, dated=ISSUED, **options)

    return made


def context(keys: Path) -> Any:
    """The library's own view of the same anchors, for attacks that use its ways of signing."""
    from asn1crypto import crl
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(
        trust_roots=anchors.certificates(*sorted((keys / "roots").glob("*.pem"))),
        crls=[crl.CertificateList.load(file.read_bytes()) for file in sorted((keys / "crls").glob("*.crl"))],
        allow_fetching=False,
        revocation_mode="require",
    )


PEOPLE = {"clerk-r": "书记员王芳", "judge-r": "法官李敏"}
"""User names with a personal key in the run's signing directory."""


SEALABLE = '#both(say("一页", "a page"))\n\n#field("CourtSeal", 27mm, 27mm)' + "".join(
    [f'#field("{name}", 48mm, 12.8mm)' for name in checking.PERSONS]
    + [f'#field("{name}", .1mm, .1mm)' for name in checking.ARCHIVES]
)  # fmt: skip


@pytest.fixture(scope="session")
def unsigned(render: Callable[..., bytes]) -> bytes:
    """The smallest document that can be sealed: one page, the fields of a report, one attachment."""
    attached = rendering.Attached("result.json", b'{"a":1}', "结论", "data")
    return render(SEALABLE, attachments=[attached])


@pytest.fixture(scope="session")
def sealed(unsigned: bytes, keys: Path) -> bytes:
    return signing.seal(unsigned, keys=keys, words=("试验法院", "演示用章"), fonts=FONTS).pdf


@pytest.fixture(scope="session")
def three(unsigned: bytes, keys: Path) -> bytes:
    """Signed by e-seal, clerk and judge."""
    made = signing.seal(unsigned, keys=keys, words=("试验法院", "演示用章"), fonts=FONTS, clerk="clerk-r", judge="judge-r")
    assert (made.level, made.pending) == ("PAdES-B-LTA", "")
    return made.pdf


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens in these tests."""
    monkeypatch.setattr(bell, "ring", lambda report_id: None)


@pytest.fixture
def desk(settings: Any, tmp_path: Path, keys: Path, font_cache: Path) -> Path:
    """Settings of a portal that can issue: its own vault, the run's keys and fonts."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_SIGNING_DIR = keys
    settings.PORTAL_DATA_DIR = font_cache
    settings.PORTAL_PUBLIC_URL = "https://court.example"
    return tmp_path


@dataclass(frozen=True)
class Printed:
    """A whole report on four exhibits, one of each verdict and one without any proof."""

    data: dict[str, Any]
    """What the pages were made from."""
    unsigned: bytes
    sealed: bytes
    annex_bytes: bytes
    number: str
    check_code: str

    @property
    def annex(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.annex_bytes)
        return found


@pytest.fixture(scope="session")
def printed(
    django_db_setup: None, django_db_blocker: Any, keys: Path, font_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Printed:
    """Made in a transaction that is rolled back: the bytes stay."""
    printed_from: list[dict[str, Any]] = []
    plain = rendering.render

    def kept(main: str, data: dict[str, Any], **options: Any) -> bytes:
        printed_from.append(data)
        return plain(main, data, **options)

    overridden = override_settings(
        PORTAL_VAULT_DIR=tmp_path_factory.mktemp("vault"),
        PORTAL_SIGNING_DIR=keys,
        PORTAL_DATA_DIR=font_cache,
        PORTAL_PUBLIC_URL="https://court.example",
    )
    with django_db_blocker.unblock(), overridden, pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(bell, "ring", lambda report_id: None)
        patch.setattr(rendering, "render", kept)
        report = ordered()
        made = edition.make(report, issued=datetime.now(UTC))
        made_report = Printed(
            data=printed_from[0],
            unsigned=made.pdf,
            sealed=signing.seal(made.pdf, keys=keys, words=(made.court.zh[:8], "演示用章"), fonts=django_settings.PORTAL_FONT_DIR).pdf,
            annex_bytes=attachment(made.pdf),
            number=report.number,
            check_code=report.check_code,
        )
        transaction.set_rollback(True)
    return made_report


def ordered(**exhibit_fields: object) -> Report:
    """A case with a clerk, a plaintiff and a defendant, four exhibits with verdicts, and a report ordered on them."""
    case = courtroom.case(123)
    clerk, party, other = courtroom.person("clerk-r"), courtroom.person("party-r"), courtroom.person("other-r")
    courtroom.join(clerk, case, "clerk")
    courtroom.join(party, case, "litigant", "plaintiff")
    courtroom.join(other, case, "litigant", "defendant")
    verdicts = (courtroom.consistent(), courtroom.inconsistent(), courtroom.indeterminate())
    runs = [
        courtroom.run(
            courtroom.hand_in(case, party, name=f"第{n}件证据", **exhibit_fields),
            verdict,
            obtained={"court-node/manifest.json": b"{}"} if n == 1 else None,
        )
        for n, verdict in enumerate(verdicts, start=1)
    ]
    runs.append(courtroom.run(courtroom.hand_in(case, other, "defendant", name="没有证明的文件"), courtroom.without_proof()))
    with transaction.atomic():
        return issuing.order(case, [r.verdict for r in runs], by=clerk)


def attachment(pdf: bytes, name: str = "result.json") -> bytes:
    import io

    with pikepdf.open(io.BytesIO(pdf)) as document:
        return bytes(document.attachments[name].get_file().read_bytes())


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> life.Press:
    """No PDF is made: the tests are about the life of a report, not about its looks."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    made = life.Press()
    monkeypatch.setattr(edition, "make", made.make)
    monkeypatch.setattr(edition, "conform", lambda pdf: None)
    monkeypatch.setattr(signing, "seal", made.seal)
    monkeypatch.setattr(checking, "check", lambda pdf, **_: [])
    monkeypatch.setattr(issuing, "signatories", lambda pdf: [])
    monkeypatch.setattr(issuing, "_pages", lambda pdf: 3)
    return made


@pytest.fixture
def court(press: life.Press) -> life.Court:
    return life.Court()
