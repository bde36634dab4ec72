"""One edition of a report: what it says, its annex and its unsigned PDF (spec signed-report §6 steps 1 to 5).

Everything comes from the rows, the trust store digests inside the verdicts and the moment of issue: the same record makes
the same bytes again, which `unsigned_sha256` then shows.

A draft and the report that is signed are two renders of the same contents. The draft carries its watermark on every page, no
signature fields, no check code and no attachment; the annex, and so its digest, is the same in both.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings

import evidence.verification
from cases.models import Membership
from evidence.verification import selftest, verdict
from evidence.verification.selftest import SelfTest
from portal.vault import Vault

from . import (
    annex,
    conformance,
    custody,
    document,
    etsi,
    keyring,
    prechain,
    proofs,
    rendering,
    sheets,
    times,
    volumes,
)
from .annex_schema import AnnexFault
from .checking import PERSONS, SM2_SEAL
from .models import Report
from .printable import NAME_MAX, TEXT_MAX, clean, number
from .volumes import Bound
from .wording import Words, statement

LIMITATIONS = ("S-R16", "NOT_PROVEN.CONTENT", "S-ITEMS", "S-NOTEXPERT", "S-NOML", "S-JUDGE")
LIBRARIES = ("cryptography", "asn1crypto", "pycryptodome", "pyhanko", "typst", "fonttools", "pikepdf")
"""What verdict and page were made with; on another machine the bytes may differ where these do."""
PASSED_SHOWN_MAX = 160
"""Passed checks printed in one report, shared evenly by its exhibits; the annex carries all."""
POLICY = "mingjian-decision-rule"


class ReportFault(RuntimeError):
    """The report could not be made; the message is for the clerk and the operator."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule by which findings become a verdict; it is part of the engine, and the digest is that of the module that carries it out."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    report: Report
    court: Words
    issued: times.Moment
    issued_at: datetime
    requested: times.Moment
    requester: str
    requester_role: str
    issuer: str
    """Who decided to issue it; empty in a draft. Printed, not in the annex."""
    bears: tuple[str, ...]
    """Fields of the persons whose signatures the final bears. Printed, not in the annex."""
    sm2_seal: bool
    """Does the court hold an SM2 key for a second, parallel seal?"""
    items: tuple[document.Item, ...]
    labels: Mapping[str, Words]
    """Public id of an exhibit -> its label."""
    custody: tuple[custody.Event, ...]
    custody_earlier: int
    """Acts older than those in `custody`, which one report does not carry."""
    trust_stores: tuple[Mapping[str, str], ...]
    """Identity of each store that one of the verdicts was reached with."""
    selftest: SelfTest
    policy: Policy
    source_sha256: str
    dependencies_sha256: str
    libraries: Mapping[str, str]
    limitations: tuple[Words, ...]
    demonstration: bool
    supersedes: str
    """Number of the report that this one takes the place of."""
    reason: str
    reverify: proofs.Reverify
    etsi: tuple[tuple[str, bytes], ...]

    @property
    def etsi_digests(self) -> list[tuple[str, str]]:
        return [(name, hashlib.sha256(data).hexdigest()) for name, data in self.etsi]


@dataclass(frozen=True, slots=True)
class Edition:
    pdf: bytes
    """Unsigned, re-packed, PDF/A-3a and PDF/UA-1."""
    annex: bytes
    """`result.json`: may say nothing that was not settled when the draft was made (no signer, no time of signing)."""
    annex_sha256: str
    court: Words
    volumes: tuple[Bound, ...] = ()
    """Unsigned, of a report on more than `volumes.ITEMS_MAX` exhibits; the same in draft and final."""


def make(report: Report, *, issued: datetime, draft: bool = False) -> Edition:
    """Raises ReportFault, rendering.RenderError.

    issued   printed in the report; of one that has its draft, `report.issued_at`
    """
    # 1. The document and its annex; the volumes first, since the annex holds their digests.
    contents = _contents(report, issued=issued)
    bound = volumes.bind(
        contents.items,
        sheet=lambda number, part: _spelt_out(sheets.volume(contents, number, part), contents),
        printed=lambda sheet: _printed(sheet, contents),
    )
    try:
        machine = annex.build(contents, bound)
    except AnnexFault as fault:
        raise ReportFault(str(fault)) from fault
    digest = annex.digest(machine)
    # 2. to 5. Glyph guard, render, re-pack, gate.
    page = sheets.main(
        contents,
        annex_sha256=digest,
        bound=bound,
        draft=draft,
        check_url=public_check_url(report),
        qr_payload=qr_payload(report, digest),
    )
    attached = [rendering.Attached("result.json", machine, "核验结果 / verification result", "data")]
    attached += [
        rendering.Attached(name, data, "签名验证报告 / signature validation report", "supplement") for name, data in contents.etsi
    ]
    pdf = _printed(_spelt_out(page, contents), contents, [] if draft else attached)
    return Edition(pdf, machine, digest, contents.court, bound)


def _printed(page: Mapping[str, Any], contents: Contents, attachments: Sequence[rendering.Attached] = ()) -> bytes:
    return rendering.render(sheets.TEMPLATE, page, fonts=settings.PORTAL_FONT_DIR, dated=contents.issued_at, attachments=attachments)


def conform(pdf: bytes) -> None:
    """A signed report: ReportFault names the first rule that is broken. (What is not signed yet was checked where it was rendered.)"""
    broken = conformance.faults(pdf, signed=True)
    if broken:
        raise ReportFault(f"not {broken[0]}")


def _contents(report: Report, *, issued: datetime) -> Contents:
    tested = selftest.run()
    if tested.failed:
        raise ReportFault(f"self-test failed: {', '.join(tested.failed)}")
    stored = report.verdicts.select_related("run__exhibit__party", "run__exhibit__submitted_by")
    verdicts = document.ordered(stored.prefetch_related("run__exhibit__files", "run__obtained", *prechain.PREFETCH))
    if not verdicts:
        raise ReportFault("a report needs at least one verdict")
    passed_max = PASSED_SHOWN_MAX // min(len(verdicts), volumes.ITEMS_MAX)
    prechain_max = prechain.PRINTED_MAX // len(verdicts)
    items = tuple(document.item(v, passed_max=passed_max, until=issued, prechain_max=prechain_max) for v in verdicts)
    exhibits = [i.exhibit for i in items]
    acts = custody.events(report.case, exhibits, report=report.number, until=issued, within=_drafted_custody(report))
    return Contents(
        report=report,
        court=_court(report),
        issued=times.moment(issued),
        issued_at=issued,
        requested=times.moment(report.created_at),
        requester=clean(report.created_by.get_full_name(), NAME_MAX),
        requester_role=_role(report),
        issuer=clean(report.signed_by.get_full_name(), NAME_MAX) if report.signed_by else "",
        bears=_bears(report),
        sm2_seal=_sm2_seal(report),
        items=items,
        labels={str(e.public_id): document.label(e) for e in exhibits},
        custody=acts,
        custody_earlier=custody.earlier(report.case, exhibits, report=report.number, acts=acts),
        trust_stores=tuple({i.trust["sha256"]: i.trust for i in items}.values()),
        selftest=tested,
        policy=_policy(),
        source_sha256=_source_sha256(),
        dependencies_sha256=_dependencies_sha256(),
        libraries=_libraries(),
        limitations=tuple(statement(s) for s in LIMITATIONS),
        demonstration=settings.PORTAL_DEMO or any(i.trust["label"] == "demonstration" for i in items),
        supersedes=report.supersedes.number if report.supersedes else "",
        reason=clean(report.reason, TEXT_MAX),
        reverify=proofs.reverify(report.number, [(i.label.zh, v) for i, v in zip(items, verdicts, strict=True)]),
        etsi=tuple(
            one
            for n, i in enumerate(items, start=1)
            for one in etsi.reports(i.document, label=str(n))
            if Report.Profile.ETSI in report.profiles
        ),
    )


def _drafted_custody(report: Report) -> frozenset[str] | None:
    """The custody that the draft shows, as leaf hashes; None while there is no draft.

    An act that began before the moment of issue and was committed after the draft was made would else slip in afterwards.
    """
    if not report.annex_sha256:
        return None
    checked = json.loads(Vault(settings.PORTAL_VAULT_DIR).read(report.annex_sha256))
    return frozenset(event["leaf_hash"] for event in checked["custody"])


def public_check_url(report: Report) -> str:
    return f"{settings.PORTAL_PUBLIC_URL}/reports/check/?number={report.number}&code={report.check_code}"


def qr_payload(report: Report, annex_sha256: str) -> str:
    """The address of the check, and enough of the annex's digest to tell this report from any other under its number."""
    return f"{public_check_url(report)}#{annex_sha256[:16]}"


def _spelt_out(page: dict[str, Any], contents: Contents) -> dict[str, Any]:
    """The glyph guard: a character without a glyph would be an empty box, and the end of PDF/A.

    In what parties wrote it is shown by its number, so that nobody can stop a report with a picture character. A name that
    the court itself has on file must be printed as it is: there the report is refused.
    """
    text = json.dumps(page, ensure_ascii=False)
    missing = rendering.missing_glyphs(text, fonts=settings.PORTAL_FONT_DIR)
    if not missing:
        return page
    case = contents.report.case
    names = "".join(
        (case.number, case.cause, contents.court.zh, contents.court.en, contents.requester, contents.issuer, *(i.submitter for i in contents.items))
    )
    needed = [c for c in missing if c in names]
    if needed:
        said = ", ".join(f"{c} (U+{ord(c):04X} {unicodedata.name(c, 'without a name')})" for c in needed[:5])
        raise ReportFault(f"no font has {said}; install fonts-noto-cjk and fonts-hanazono")
    spelt: dict[str, Any] = json.loads(text.translate({ord(c): number(c) for c in missing}))
    return spelt


def _court(report: Report) -> Words:
    if report.case.court:
        return Words(report.case.court.name_zh, report.case.court.name_en)
    return Words(f"法院（{report.case.court_code}）", f"Court ({report.case.court_code})")


def _bears(report: Report) -> tuple[str, ...]:
    """Of a signed report what it does bear; of one to be signed now, whose keys are on file."""
    if report.signed_sha256:
        return tuple(report.signatures.filter(field__in=PERSONS).order_by("field").values_list("field", flat=True))
    signing_now = zip(PERSONS, (report.created_by, report.signed_by), strict=True)
    return tuple(f for f, user in signing_now if user is not None and keyring.has_key(settings.PORTAL_SIGNING_DIR, user.get_username()))


def _sm2_seal(report: Report) -> bool:
    if report.signed_sha256:
        return report.signatures.filter(field=SM2_SEAL).exists()
    return keyring.has_sm2_seal(settings.PORTAL_SIGNING_DIR)


def _role(report: Report) -> str:
    found = Membership.objects.filter(case=report.case, user=report.created_by).order_by("pk").first()
    return str(found.role) if found else ""


@cache
def _source_sha256() -> str:
    """Of the engine's own files: each path with the digest of its bytes, in order of path."""
    root = Path(evidence.verification.__file__).parent
    total = hashlib.sha256()
    for file in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".json"}):
        total.update(f"{file.relative_to(root).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@cache
def _policy() -> Policy:
    rule = Path(verdict.__file__).read_bytes()
    return Policy(POLICY, verdict.ENGINE.partition("/")[2], hashlib.sha256(rule).hexdigest())


@cache
def _dependencies_sha256() -> str:
    """Of the locked list of every package, with its digests, that the product is installed from."""
    return hashlib.sha256((Path(__file__).resolve().parents[2] / "requirements.txt").read_bytes()).hexdigest()


@cache
def _libraries() -> Mapping[str, str]:
    return {name: metadata.version(name) for name in sorted(LIBRARIES)}
