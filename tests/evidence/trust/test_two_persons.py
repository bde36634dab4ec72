"""Nobody changes alone what the court trusts: not by rights, not through two windows, not past the database."""

import hashlib
import json
import threading
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from cases.models import Office, Role
from evidence.trust import drafts, packs, signing
from evidence.trust.drafts import DraftFault, NotAllowed
from evidence.trust.models import Draft, Pack, Revision
from evidence.verification import pack_signature
from evidence.verification.trust import TrustError, TrustStore
from portal.ledger.models import Detail
from tests import courtroom

from .conftest import PLATFORM, Keepers, proposed, published

NEW_PLATFORM = json.dumps({"platforms": [PLATFORM, {**PLATFORM, "id": "other", "hosts": ["other.example"]}]}).encode()


@pytest.fixture(autouse=True)
def _commits(transactional_db: None) -> None:
    """Approval takes locks and writes folders after the commit."""


def test_the_first_pack_is_the_installers_to_the_byte(keepers: Keepers, first: Path) -> None:
    digest = hashlib.sha256((first / "manifest.json").read_bytes()).hexdigest()
    assert packs.in_use().pack is None and packs.in_use().trust.digest == digest
    pack = published(keepers)
    assert (pack.number, pack.sha256, pack.previous) == (1, digest, None)
    in_use = packs.in_use()
    assert in_use.pack == pack and in_use.directory == packs.shelf() / digest and in_use.trust.digest == digest
    assert (packs.shelf() / "in-force").resolve() == in_use.directory.resolve()


def test_a_change_is_published_signed_and_written_into_the_book(keepers: Keepers) -> None:
    one = published(keepers)
    two = published(keepers, {"platforms.json": NEW_PLATFORM})
    assert (two.number, two.previous) == (2, one) and two.sha256 != one.sha256
    store = TrustStore.load(packs.shelf() / two.sha256)
    assert [p.id for p in store.platforms] == ["zhixin", "other"] and store.digest == two.sha256
    assert pack_signature.check_directory(packs.shelf() / two.sha256, by=signing.verifying())
    act = Detail.objects.filter(act="trust.publish").order_by("-pk")[0]
    said = json.loads(act.params)
    assert act.subject == two.sha256 and act.actor == str(keepers.bo.public_id)
    assert (said["digest"], said["previous"], said["number"]) == (two.sha256, one.sha256, 2)
    assert (said["proposer"], said["approver"]) == (str(keepers.ada.public_id), str(keepers.bo.public_id))
    # The old one stays: a verdict reached under it can be reached again.
    assert TrustStore.load(packs.shelf() / one.sha256).digest == one.sha256
    assert packs.in_use(at=one.published_at).pack == one


def test_nobody_approves_their_own(keepers: Keepers) -> None:
    draft = proposed(keepers)
    digest = drafts.latest(draft).sha256
    for decide in (
        lambda: drafts.approve(draft, digest=digest, by=keepers.ada),
        lambda: drafts.reject(draft, digest=digest, reason="x", by=keepers.ada),
        lambda: drafts.approve(draft, digest=digest, by=keepers.sue),
        lambda: drafts.approve(draft, digest=digest, by=keepers.joe),
    ):
        with pytest.raises(NotAllowed):
            decide()
    assert not Pack.objects.exists()


def test_two_offices_of_one_person_are_one_person(keepers: Keepers) -> None:
    Office.give(keepers.ada, Office.Post.AUDITOR)
    draft = proposed(keepers)
    with pytest.raises(NotAllowed):
        drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.ada)


def test_an_office_that_ended_decides_nothing(keepers: Keepers) -> None:
    draft = proposed(keepers)
    Office.objects.get(user=keepers.bo).end(at=timezone.now())
    with pytest.raises(NotAllowed):
        drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo)
    Office.objects.get(user=keepers.ada).end(at=timezone.now())
    with pytest.raises(NotAllowed):
        drafts.start("x", by=keepers.ada)


def test_a_membership_as_auditor_of_a_case_is_no_office(keepers: Keepers) -> None:
    courtroom.join(keepers.joe, courtroom.case(), Role.AUDITOR)
    with pytest.raises(NotAllowed):
        drafts.start("x", by=keepers.joe)


def test_only_its_maker_works_on_a_draft(keepers: Keepers) -> None:
    draft = drafts.start("一次变更", by=keepers.ada)
    for act in (
        lambda: drafts.change(draft, {"platforms.json": NEW_PLATFORM}, what="x", source="x", by=keepers.bo),
        lambda: drafts.propose(draft, by=keepers.bo),
        lambda: drafts.withdraw(draft, by=keepers.bo),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_what_changed_after_the_look_is_not_approved(keepers: Keepers) -> None:
    """The approver's window shows one digest; the maker takes the draft back, changes it and proposes it anew."""
    published(keepers)
    draft = proposed(keepers, {"platforms.json": NEW_PLATFORM})
    seen = drafts.latest(draft).sha256
    drafts.take_back(draft, by=keepers.ada)
    with pytest.raises(DraftFault):
        drafts.approve(draft, digest=seen, by=keepers.bo)
    drafts.change(draft, {"platforms.json": b'{"platforms": []}'}, what="x", source="x", by=keepers.ada)
    drafts.propose(draft, by=keepers.ada)
    with pytest.raises(DraftFault):
        drafts.approve(draft, digest=seen, by=keepers.bo)
    assert Pack.objects.count() == 1
    assert drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo).number == 2


@pytest.mark.parametrize("state", [Draft.State.PROPOSED, Draft.State.PUBLISHED, Draft.State.REJECTED, Draft.State.WITHDRAWN])
def test_only_a_draft_in_the_making_is_changed(keepers: Keepers, state: str) -> None:
    draft = drafts.start("x", by=keepers.ada)
    if state == Draft.State.WITHDRAWN:
        drafts.withdraw(draft, by=keepers.ada)
    else:
        drafts.propose(draft, by=keepers.ada)
        digest = drafts.latest(draft).sha256
        if state == Draft.State.PUBLISHED:
            drafts.approve(draft, digest=digest, by=keepers.bo)
        elif state == Draft.State.REJECTED:
            drafts.reject(draft, digest=digest, reason="不对", by=keepers.bo)
    with pytest.raises(DraftFault):
        drafts.change(draft, {"platforms.json": NEW_PLATFORM}, what="x", source="x", by=keepers.ada)
    before = drafts.latest(draft)
    with pytest.raises(IntegrityError), transaction.atomic():
        Revision.objects.create(draft=draft, number=before.number + 1, manifest=b"{}", sha256="0" * 64, change="x")


def test_a_draft_on_an_older_pack_is_brought_up_to_date_first(keepers: Keepers) -> None:
    published(keepers)
    slow = drafts.start("慢的", by=keepers.bo)
    drafts.change(slow, {"policy.json": b'{"accept_d": ["zhixin"]}'}, what="x", source="x", by=keepers.bo)
    drafts.propose(slow, by=keepers.bo)
    published(keepers, {"platforms.json": NEW_PLATFORM})
    with pytest.raises(DraftFault):
        drafts.approve(slow, digest=drafts.latest(slow).sha256, by=keepers.ada)
    drafts.take_back(slow, by=keepers.bo)
    with pytest.raises(DraftFault):
        drafts.propose(slow, by=keepers.bo)
    drafts.bring_up_to_date(slow, by=keepers.bo)
    drafts.propose(slow, by=keepers.bo)
    pack = drafts.approve(slow, digest=drafts.latest(slow).sha256, by=keepers.ada)
    store = packs.in_use().trust
    assert pack.number == 3 and len(store.platforms) == 2 and store.accept_d == {"zhixin"}


def test_a_member_changed_on_both_sides_is_left_to_people(keepers: Keepers) -> None:
    published(keepers)
    slow = drafts.start("慢的", by=keepers.bo)
    drafts.change(slow, {"platforms.json": b'{"platforms": []}'}, what="x", source="x", by=keepers.bo)
    published(keepers, {"platforms.json": NEW_PLATFORM})
    with pytest.raises(DraftFault, match=r"platforms\.json"):
        drafts.bring_up_to_date(slow, by=keepers.bo)


def test_of_two_approvals_at_once_one_is_published(keepers: Keepers) -> None:
    """Two drafts on one pack, approved in the same moment by two people."""
    published(keepers)
    carl = courtroom.person("carl")
    Office.give(carl, Office.Post.AUDITOR)
    one = proposed(keepers, {"platforms.json": NEW_PLATFORM})
    two = proposed(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    gate, outcomes = threading.Barrier(2), []

    def press(draft: Draft, by: object) -> None:
        try:
            gate.wait(10)
            outcomes.append(drafts.approve(draft, digest=drafts.latest(draft).sha256, by=by).number)  # type: ignore[arg-type]
        except DraftFault as fault:
            outcomes.append(str(fault))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=args) for args in ((one, keepers.bo), (two, carl))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(2) == 1 and len(outcomes) == 2 and Pack.objects.count() == 2


def test_one_draft_pressed_twice_is_published_once(keepers: Keepers) -> None:
    draft = proposed(keepers)
    digest = drafts.latest(draft).sha256
    drafts.approve(draft, digest=digest, by=keepers.bo)
    with pytest.raises(DraftFault):
        drafts.approve(draft, digest=digest, by=keepers.bo)
    assert Pack.objects.count() == 1


def test_an_unchanged_draft_is_not_proposed(keepers: Keepers) -> None:
    published(keepers)
    with pytest.raises(DraftFault):
        drafts.propose(drafts.start("x", by=keepers.ada), by=keepers.ada)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"platforms.json": b"{"}, "platforms.json"),
        ({"platforms.json": b'{"platforms": [{"id": "x"}]}'}, "platforms.json"),
        ({"platforms.json": b'{"platforms": [], "platform": []}'}, "platforms.json"),
        ({"tsa/certs/x.pem": b"no certificate"}, "tsa/certs/x.pem"),
        ({"consortium/demo/profile.json": None, "consortium/x/profile.json": b"{}"}, "consortium/x/profile.json"),
        ({"../x": b""}, "../x"),
        ({"/etc/x": b""}, "/etc/x"),
        ({"manifest.sig": b""}, "manifest.sig"),
        ({"a/.hidden": b""}, "a/.hidden"),
        ({"a//b": b""}, "a//b"),
        ({"x": b"", "x/y": b""}, "x: a file and a folder"),
        ({"链" * 100: b""}, "链"),
    ],
)
def test_a_member_that_cannot_be_read_is_named_and_not_taken(keepers: Keepers, members: dict[str, bytes | None], named: str) -> None:
    draft = drafts.start("x", by=keepers.ada)
    before = drafts.latest(draft)
    with pytest.raises(DraftFault) as fault:
        drafts.change(draft, members, what="x", source="x", by=keepers.ada)
    assert named in str(fault.value)
    assert drafts.latest(draft) == before


def test_a_change_worked_out_from_an_older_revision_writes_nothing_over(keepers: Keepers) -> None:
    """Two windows of the same person."""
    draft = drafts.start("x", by=keepers.ada)
    seen = drafts.latest(draft).sha256
    drafts.change(draft, {"platforms.json": NEW_PLATFORM}, what="x", source="x", by=keepers.ada, seen=seen)
    with pytest.raises(DraftFault):
        drafts.change(draft, {"platforms.json": b"{}"}, what="x", source="x", by=keepers.ada, seen=seen)
    assert len(drafts.whole(draft).store().platforms) == 2


def test_whatever_is_published_can_lie_on_a_disk(keepers: Keepers) -> None:
    """The longest name and the deepest path that a draft takes."""
    pack = published(keepers, {"/".join(["链" * 33, "b" * 80, "c" * 80]): b"1", "tsa/crls/x y+@.bin": b"2"})
    assert packs.in_use().pack == pack


def test_a_full_disk_after_the_decision_is_not_the_approver_s_error(keepers: Keepers, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packs, "_write_file", full)
    pack = published(keepers)
    with pytest.raises(OSError, match="No space"):
        packs.in_use()
    assert [p.name for p in packs.shelf().iterdir() if not p.name.startswith(".")] in ([], ["in-force"]), "whole or not at all"
    monkeypatch.undo()
    assert packs.in_use().pack == pack


# ── past the portal: raw SQL, as somebody with its password would write it ────────────────────────────────────────────


def refused(text: str, *arguments: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(text, arguments)
            assert cursor.rowcount, f"nothing to refuse: {text}"
    except IntegrityError:
        return True
    return False


def test_the_database_keeps_what_was_trusted(keepers: Keepers) -> None:
    """To see it fail: drop a trigger of migration 0002."""
    published(keepers)
    for table, columns in {
        "trust_pack": ("sha256 = repeat('0', 64)", "manifest = ''", "signature = 'x'", "number = 9", "approved_by_id = proposed_by_id"),
        "trust_revision": ("sha256 = repeat('0', 64)", "manifest = ''", "change = 'x'", "number = 9"),
        "trust_draft": ("state = 'editing'", "created_by_id = decided_by_id", "title = 'x'", "reason = 'x'", "decided_at = now()"),
        "cases_office": ("user_id = user_id + 1", "post = 'sysadmin2'", "valid_from = now() + interval '1 day'"),
    }.items():
        for change in columns:
            assert refused(f"UPDATE {table} SET {change}"), (table, change)
        assert refused(f"DELETE FROM {table}") and refused(f"TRUNCATE {table} CASCADE")


def test_the_database_publishes_nothing_that_another_did_not_approve(keepers: Keepers) -> None:
    """To see it fail: take a condition out of trust_pack_guard."""
    draft = proposed(keepers)
    last = drafts.latest(draft)
    ada, bo = keepers.ada.pk, keepers.bo.pk
    insert = (
        "INSERT INTO trust_pack (number, sha256, version, manifest, signature, draft_id, proposed_by_id, approved_by_id)"
        " VALUES (%s, %s, 'v', %s, 's', %s, %s, %s)"
    )
    due = [1, last.sha256, bytes(last.manifest), draft.pk, ada, bo]
    assert refused(insert, *due), "it is only proposed"
    assert refused("UPDATE trust_draft SET state = 'published'")
    assert refused("UPDATE trust_draft SET state = 'published', decided_by_id = created_by_id")
    assert not refused("UPDATE trust_draft SET state = 'published', decided_by_id = %s", bo)
    other = b"{}"
    for position, wrong in ((0, 2), (1, "0" * 64), (2, other), (4, bo), (5, ada)):
        given = [*due]
        given[position] = wrong
        assert refused(insert, *given), position
    assert refused(insert, 1, hashlib.sha256(other).hexdigest(), other, draft.pk, ada, bo)


# ── on disk ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _writable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("what", ["member", "manifest", "signature", "unsigned", "extra", "link", "exchanged", "resigned"])
def test_a_published_folder_that_was_changed_is_refused(keepers: Keepers, what: str, tmp_path: Path, settings: object) -> None:
    one = published(keepers)
    two = published(keepers, {"platforms.json": NEW_PLATFORM})
    folder = packs.shelf() / two.sha256
    assert packs.in_use().pack == two
    _writable(folder)
    if what == "member":
        (folder / "platforms.json").write_bytes(b'{"platforms": []}')
    elif what == "manifest":
        data = (folder / "manifest.json").read_bytes()
        (folder / "manifest.json").write_bytes(data + b" ")
    elif what == "signature":
        text = (folder / "manifest.sig").read_text()
        (folder / "manifest.sig").write_text(text.replace(two.sha256, one.sha256))
    elif what == "unsigned":
        (folder / "manifest.sig").unlink()
    elif what == "extra":
        (folder / "tsa.pem").write_bytes(b"")
    elif what == "link":
        (folder / "platforms.json").rename(tmp_path / "platforms.json")
        (folder / "platforms.json").symlink_to(tmp_path / "platforms.json")
    elif what == "exchanged":
        for name in ("manifest.json", "platforms.json", "manifest.sig"):
            (folder / name).write_bytes((packs.shelf() / one.sha256 / name).read_bytes())
    else:  # whole and consistent, but signed with another key
        settings.PORTAL_TRUST_KEY_DIR = tmp_path / "elsewhere"  # type: ignore[attr-defined]
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "pack.vkey").write_text(
            pack_signature.PackKey("court.example/trust", b"\x01" * 32).line() + "\n"
        )
    with pytest.raises(TrustError):
        packs.in_use()


def test_a_machine_without_the_folder_writes_it_anew(keepers: Keepers, tmp_path: Path, settings: object) -> None:
    pack = published(keepers)
    before = {p.relative_to(packs.shelf()): p.read_bytes() for p in (packs.shelf() / pack.sha256).rglob("*") if p.is_file()}
    settings.PORTAL_DATA_DIR = tmp_path / "another machine"  # type: ignore[attr-defined]
    assert packs.in_use().pack == pack
    after = {p.relative_to(packs.shelf()): p.read_bytes() for p in (packs.shelf() / pack.sha256).rglob("*") if p.is_file()}
    assert before == after
    assert {oct(p.stat().st_mode & 0o777) for p in (packs.shelf() / pack.sha256).rglob("*") if p.is_file()} == {"0o444"}


def test_a_lost_key_stops_publication_not_verification(keepers: Keepers, settings: object) -> None:
    published(keepers)
    draft = proposed(keepers, {"platforms.json": NEW_PLATFORM})
    key = Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.key"  # type: ignore[attr-defined]
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    key.unlink()
    with pytest.raises(signing.KeyFault):
        drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo)
    draft.refresh_from_db()
    assert draft.state == Draft.State.PROPOSED and packs.in_use().pack is not None
