"""A court for tests of pages and rights: people, cases, exhibits with bytes in a vault, runs with verdicts, reports.

Verdicts come from the engine itself over a demonstration block (`tests.evidence.verification.fisco3_exhibits`).
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import combinations_with_replacement

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cases.models import Case, Court, Membership, Party, Role, Side
from evidence.captures.capture import READER, Capture, Facts, Kind, Place, View, ViewKind
from evidence.captures.capture import Reading as CaptureReading
from evidence.captures.capture import Run as CaptureText
from evidence.captures.comparison import queue as comparing
from evidence.captures.comparison.result import Kind as Same
from evidence.captures.comparison.result import Part, PictureResult, TextResult
from evidence.captures.models import CourtRender, FileReading
from evidence.exhibits import statements
from evidence.exhibits.models import Category, Exhibit, ExhibitFile, OriginalForm, Statement
from evidence.reports.models import Report, Revision, Step
from evidence.runs import given
from evidence.runs.models import Run, RunVerdict
from evidence.verification import Verdict
from portal.people.models import User
from portal.vault import Vault
from tests.evidence.verification import fisco3_exhibits as block


def person(username: str, **fields: object) -> User:
    fields.setdefault("full_name", f"姓名{username}")
    return User.objects.create_user(username=username, password=None, **fields)


def case(sequence: int = 1, **fields: object) -> Case:
    court, _ = Court.objects.get_or_create(
        code="川01", defaults={"name_zh": "四川省成都市中级人民法院", "name_en": "Chengdu Intermediate Court"}
    )
    return Case.objects.create(
        **{
            "number": f"（2026）川01民初{sequence}号",
            "year": 2026,
            "court_code": "川01",
            "case_type": "民初",
            "sequence": sequence,
            "court": court,
            "cause": "侵害作品信息网络传播权纠纷",
            **fields,
        }
    )


def join(user: User, to: Case, role: str, side: str = Side.COURT, *, days: float | None = None, since: float = 30) -> Membership:
    """`days` until the membership ends (negative: ended), None: no end; `since` days ago it began."""
    party = None
    if side != Side.COURT:
        party, _ = Party.objects.get_or_create(case=to, side=side, position=1, defaults={"name": f"{side}公司"})
    now = timezone.now()
    return Membership.objects.create(
        case=to,
        user=user,
        role=role,
        side=side,
        party=party,
        valid_from=now - timedelta(days=since),
        valid_to=None if days is None else now + timedelta(days=days),
    )


def hand_in(to: Case, by: User, side: str = Side.PLAINTIFF, *, files: Mapping[str, bytes] | None = None, **fields: object) -> Exhibit:
    party, _ = Party.objects.get_or_create(case=to, side=side, position=1, defaults={"name": f"{side}公司"})
    made = Exhibit.objects.create(
        **{
            "case": to,
            "number": Exhibit.objects.filter(case=to, side=side).count() + 1,
            "side": side,
            "party": party,
            "name": "被诉网页快照",
            "category": Category.WEB,
            "original_form": OriginalForm.NATIVE,
            "origin": "本公司员工用取证工具固定",
            "purpose": "证明被告传播涉案作品",
            "receipt_number": uuid.uuid4().hex[:30],
            "submitted_by": by,
            **fields,
        }
    )
    vault = Vault(settings.PORTAL_VAULT_DIR)
    for position, (name, data) in enumerate((files or {"page.html": block.PAGE}).items(), start=1):
        stored = vault.put_bytes(data)
        ExhibitFile.objects.create(
            exhibit=made,
            position=position,
            name=name,
            size=stored.size,
            sha256=stored.sha256,
            sm3=stored.sm3,
            detected_type="application/octet-stream",
            hashed_on_device=position == 1,
        )
    return made


def state(of: Exhibit, by: User, **texts: str) -> list[Statement]:
    """What the submitter says of the time before recording, by head; again, and it is a correction."""
    standing = Membership.objects.filter(case=of.case, user=by, side=of.side).first()
    return statements.state(of, texts, by=by, standing=standing or Membership(role=Role.LITIGANT, party=of.party))


def run(
    of: Exhibit,
    verdict: Verdict | None = None,
    *,
    state: str | None = None,
    released: bool = False,
    obtained: Mapping[str, bytes] | None = None,
    **fields: object,
) -> Run:
    """The next run of an exhibit: done with this verdict, or in `state` without one. `obtained`: what nodes of the court answered."""
    number = Run.objects.filter(exhibit=of).count() + 1
    now = timezone.now()
    made = Run.objects.create(
        exhibit=of,
        number=number,
        state=Run.State.QUEUED if obtained else state or Run.State.DONE,
        finished_at=now if verdict and not obtained else None,
        released_at=now if released and not obtained else None,
        **fields,
    )
    if obtained:
        # Through the states in their order: a run gets its sources while it is queued, and the database lets it go no other way.
        vault = Vault(settings.PORTAL_VAULT_DIR)
        stored = [(name, vault.put_bytes(data)) for name, data in obtained.items()]
        given.attach(made, [given.Given(name, s.size, s.sha256, s.sm3) for name, s in stored])
        this = Run.objects.filter(pk=made.pk)
        this.update(state=Run.State.RUNNING)
        this.update(state=Run.State.DONE, finished_at=now)
        this.update(released_at=now if released else None)
        made.refresh_from_db()
    if verdict is not None:
        conclude(made, verdict)
    return made


def read(of: Exhibit, *captures: Capture, notes: tuple[str, ...] = (), pictures: tuple[bytes, ...] = ()) -> None:
    """Every file of the exhibit as read: with these captures, or with one page of one line and one picture."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    for data in pictures or (PICTURE,):
        vault.put_bytes(data)
    for file in of.files.all():
        place = Place(file_sha256=file.sha256, payload_sha256=file.sha256, payload_size=file.size)
        view = View(ViewKind.SCREENSHOT, hashlib.sha256(PICTURE).hexdigest(), 1, 1)
        safe = View(ViewKind.SAFE_HTML, vault.put_bytes(SAFE_VIEW).sha256, 0, 0)
        page = Capture("file", Kind.PAGE, Facts(url="https://例.cn/作品", title="被诉网页"), place, (CaptureText("涉案作品第一段", 3, 21),), views=(view, safe), encoding="utf-8")
        stored = vault.put_bytes(CaptureReading(tuple(captures) or (page,), notes).to_bytes())
        FileReading.objects.get_or_create(
            sha256=file.sha256, reader=READER, defaults={"state": FileReading.State.DONE, "reading_sha256": stored.sha256, "captures": len(captures) or 1}
        )


def rendered(of: Exhibit, by: User) -> None:
    """The first file of an exhibit that was read, as rendered by the court."""
    file = of.files.order_by("position")[0]
    drawn = hashlib.sha256(PICTURE).hexdigest()
    CourtRender.objects.create(
        file=file, capture="file", form="HTML", source_sha256=file.sha256, browser="150.0.1.2", state=CourtRender.State.DONE,
        picture_sha256=drawn, width=1, height=1, full_width=1, full_height=1, loaded=True, asked_by=by, finished_at=timezone.now(),
    )  # fmt: skip


SAFE_VIEW = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title></title></head><body><p>涉案作品第一段</p></body></html>\n".encode()
def compared(*exhibits: Exhibit) -> None:
    """Every two captures that `read` made for these as compared: everything in them is the same."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    picture = vault.put_bytes(PICTURE).sha256
    readings = FileReading.objects.filter(sha256__in=ExhibitFile.objects.filter(exhibit__in=exhibits).values("sha256"))
    texts = sorted({comparing.Item(r.reading_sha256, 1) for r in readings})
    pairs = [comparing.pair("texts", a, b)[0] for a, b in combinations_with_replacement(texts, 2)]
    comparing.wanted([*pairs, comparing.pair("pictures", comparing.Item(picture), comparing.Item(picture))[0]])
    line = TextResult((1, 1), (Part(Same.SAME, 0, 0),))
    pictures = PictureResult((1, 1), (1, 1), (1, 1), 0, 1, 0, picture, picture)
    while claim := comparing.COMPARISONS.claim():
        result = line if claim.what == "texts" else pictures
        comparing.COMPARISONS.finish(claim, result_sha256=vault.put_bytes(result.to_bytes()).sha256)


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077 53de0000000c49444154789c63f8cfc000000301 0100c9fe92ef0000000049454e44ae426082"
)
"""A PNG of one red point."""


def conclude(run: Run, verdict: Verdict) -> RunVerdict:
    """The verdict of a run, which becomes done if it was at work."""
    Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(state=Run.State.DONE, finished_at=timezone.now())
    document = verdict.to_json()
    return RunVerdict.objects.create(
        run=run,
        document=document,
        sha256=hashlib.sha256(document).hexdigest(),
        overall=verdict.overall,
        grade=verdict.grade,
        engine=verdict.engine,
        trust_sha256=verdict.trust["sha256"],
        at=verdict.at,
    )


@transaction.atomic
def report(of: Case, by: User, *verdicts: RunVerdict, state: str = Report.State.SIGNED, number: str = "", stage: str = "preparing", signed: bytes = b"", volumes: Sequence[bytes] = (), opened: bool = False, second: User | None = None, **fields: object) -> Report:
    """A report walked to `state` through the states before it, each move with its step, as the database demands.
    `stage`: of a failed one, where it failed. `signed`: the bytes that were signed; `volumes`: those of its annex volumes. `opened`: one
    out of force was released before. `second`: who checks and signs. One that is superseded has a signed correction in its place."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    made = Report.objects.create(
        number=number or f"明鉴{uuid.uuid4().hex[:12]}", check_code="ABCD-EFGH", case=of, created_by=by, **fields
    )
    made.verdicts.set(verdicts)
    Step.objects.create(report=made, act=Step.Act.ORDERED, by=by)
    for position, data in enumerate(volumes, start=1):
        made.volumes.create(number=position, sha256=vault.put_bytes(data).sha256, pages=1, first_item="原告证据1", last_item="第三人证据12")
    if state == Report.State.PREPARING:
        return made
    if state == Report.State.FAILED and stage == "preparing":
        return move(made, state, stage=stage, fault=made.fault or "x")
    annex = {
        "report": {"no": made.number, "language": made.language},
        "items": [{"evidence_no": v.run.exhibit.label, "name": v.run.exhibit.name, "files": []} for v in verdicts],
        "results": [
            {"item": v.run.exhibit.label, "run_id": str(v.run.public_id), "overall": v.overall, "assurance": v.grade, "verdict": json.loads(bytes(v.document))}
            for v in verdicts
        ],
        "custody": [],
    }
    digest = vault.put_bytes(json.dumps(annex, sort_keys=True).encode()).sha256
    draft = vault.put_bytes(f"%PDF-1.7 draft {made.number}".encode()).sha256
    move(made, "draft", draft_sha256=draft, annex_sha256=digest, issued_at=timezone.now(), pages=2)
    if state == "draft":
        return made
    if state == "discarded":
        return move(made, state, by=by)
    if second is None:
        second, _ = User.objects.get_or_create(username="the-second-person", defaults={"full_name": "另一人"})
    move(made, "checked", by=second, checked_by=second)
    if state == "checked":
        return made
    move(made, "sealing", by=second, signed_by=second)
    if state == "sealing":
        return made
    if state == "failed":
        return move(made, state, stage=stage, fault=made.fault or "x")
    stored = vault.put_bytes(signed or f"%PDF-1.7 signed {made.number}".encode()).sha256
    move(made, "signed", signed_sha256=stored, unsigned_sha256=digest, signature_level="PAdES-B-LTA", signed_at=timezone.now())
    revise(made, stored)
    if state == "released" or opened:
        move(made, "released", by=second, released_at=timezone.now())
    if state == "revoked":
        Step.objects.create(report=made, act=Step.Act.REVOKE_ASKED, by=by, reason="x")
        move(made, state, by=second, reason="x")
    if state == "superseded":
        successor = report(of, by, *verdicts, second=second, supersedes=made, version=made.version + 1, kind="correction", reason="x")
        move(made, state, by=second, reason=successor.number)
    return made


ACTS = {"draft": Step.Act.DRAFTED, "checked": Step.Act.CHECKED, "sealing": Step.Act.SENT, "preparing": Step.Act.RETRIED}


def move(of: Report, state: str, *, by: User | None = None, reason: str = "", **changes: object) -> Report:
    """The step and the move, in the order in which the portal writes them."""
    act = {("checked", "draft"): Step.Act.RETURNED, ("failed", "sealing"): Step.Act.RETRIED}.get((of.state, state), ACTS.get(state, state))
    Step.objects.create(report=of, act=act, by=by, reason=reason)
    for name, value in {"state": state, **changes}.items():
        setattr(of, name, value)
    of.save()
    return of


def revise(of: Report, sha256: str, *, level: str = "PAdES-B-LTA", reason: str = Revision.Reason.SIGNED) -> Revision:
    """The next revision of a signed report; the first is its signed bytes."""
    number = of.revisions.count() + 1
    return Revision.objects.create(report=of, number=number, sha256=sha256, level=level, reason=reason, at=timezone.now())


# ── verdicts, each made once by the engine ────────────────────────────────────────────────────────────────────────────


@cache
def consistent() -> Verdict:
    return block.examine(block.files(block.built()), block.trust(block.built()))


@cache
def inconsistent() -> Verdict:
    """Another file than the one that was recorded, and a certificate chain that is otherwise whole."""
    files = block.files(block.built())
    chain = block.built()
    content = next(name for name, data in files.items() if data == block.PAGE)
    return block.examine({**files, content: b"<!doctype html><title>changed</title>"}, block.trust(chain))


@cache
def indeterminate() -> Verdict:
    """The whole proof, but of a chain that the court has not pinned."""
    return block.examine(block.files(block.built()), block.trust(None))


@cache
def without_proof() -> Verdict:
    return block.examine({"page.html": block.PAGE}, block.trust(block.built()))


# ── one case with everybody in it ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Cast:
    """Everybody who may stand in some relation to a case, and its exhibits in every state of openness."""

    case: Case
    other_case: Case
    people: dict[str, User]
    exhibits: dict[str, Exhibit]
    runs: dict[str, Run]
    reports: dict[str, Report] = field(default_factory=dict)


COURT = {"judge", "clerk"}
PLAINTIFFS = {"plaintiff", "agent"}
DEFENDANTS = {"defendant"}
NOBODY = {"ended_agent", "endless_agent", "outsider", "superuser"}


def cast() -> Cast:
    here, elsewhere = case(123), case(456)
    people = {name: person(name) for name in (*COURT, *PLAINTIFFS, *DEFENDANTS, "ended_agent", "endless_agent", "outsider")}
    people["superuser"] = User.objects.create_superuser("superuser", password=None)
    join(people["judge"], here, Role.PRESIDING_JUDGE)
    join(people["clerk"], here, Role.CLERK)
    join(people["plaintiff"], here, Role.LITIGANT, Side.PLAINTIFF)
    join(people["agent"], here, Role.AGENT, Side.PLAINTIFF, days=30)
    join(people["defendant"], here, Role.LITIGANT, Side.DEFENDANT)
    join(people["ended_agent"], here, Role.AGENT, Side.PLAINTIFF, days=-1)
    join(people["endless_agent"], here, Role.AGENT, Side.PLAINTIFF)
    join(people["outsider"], elsewhere, Role.PRESIDING_JUDGE)
    p, d = people["plaintiff"], people["defendant"]
    exhibits = {
        "own": hand_in(here, p),
        "exchanged": hand_in(here, p, exchanged=True),
        "opened": hand_in(here, p, exchanged=True),
        "confidential": hand_in(here, p, exchanged=True, confidential=True),
        "defence": hand_in(here, d, Side.DEFENDANT),
    }
    for exhibit in exhibits.values():
        read(exhibit)
        rendered(exhibit, people["judge"])
    compared(*exhibits.values())
    asked = {"court-node/manifest.json": b"{}"}
    runs = {name: run(e, consistent(), released=name == "opened", obtained=asked) for name, e in exhibits.items()}
    reports = {
        "signed": report(here, people["clerk"], runs["own"].verdict),
        "released": report(here, people["clerk"], runs["opened"].verdict, state=Report.State.RELEASED),
        "draft": report(here, people["clerk"], runs["opened"].verdict, state=Report.State.DRAFT),
    }
    return Cast(here, elsewhere, people, exhibits, runs, reports)
