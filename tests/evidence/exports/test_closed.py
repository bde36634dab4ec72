"""What is closed: an exhibit that is confidential by itself, a person who left between order and download, another person's archive."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Membership, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.exports import archive, working
from evidence.exports.models import Export
from portal.people.models import User
from tests import courtroom

from .desk import Desk, repeated
from .test_archive import BUNDLE, opened, table

SECRET = b"recipe of the sauce"
PAGES = ("export", "state", "download", "again")


@pytest.fixture
def judge(desk: Desk) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, desk.case, Role.PRESIDING_JUDGE)
    return judge


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asked(user: User, name: str, export: Export) -> int:
    address = reverse(f"exports:{name}", args=[export.public_id])
    return (as_(user).post if name == "again" else as_(user).get)(address).status_code


def bytes_of(export: Export) -> bytes:
    return archive.path(export.public_id, export.attempt).read_bytes()


def test_a_confidential_exhibit_goes_as_its_digest_whoever_exports(desk: Desk, judge: User, tmp_path: Path) -> None:
    """Also in the archive of the presiding judge, who may read it. To see it fail: leave `confidential` out of `handed_out`."""
    open_, closed = desk.exhibit(files={"a.txt": b"plain"}), desk.exhibit(files={"secret.txt": SECRET}, confidential=True)
    desk.reported(open_, closed)
    for user in (desk.clerk, judge):
        made = desk.made(whole=True, by=user)
        inner = opened(made).read(BUNDLE)
        assert SECRET not in bytes_of(made) and closed.files.get().sha256.encode() in inner and b"plain" in inner
        assert [row[12] for row in table(made)[1:]] == ["文件 files", "仅摘要 digests only"]
        assert "1" in opened(made).read("README.txt").decode().partition("hold digests, not files: ")[2][:2]
    (bundle := tmp_path / "b.zip").write_bytes(inner)
    (given := tmp_path / "secret.txt").write_bytes(SECRET)
    assert repeated(bundle).returncode == 2 and repeated(bundle, given).returncode == 0, "whoever has the file may check it all the same"


def test_bytes_that_an_open_exhibit_has_too_are_not_secret(desk: Desk) -> None:
    """The same file in two exhibits: it goes along as the open one's."""
    open_, closed = desk.exhibit(files={"a.txt": b"both"}), desk.exhibit(files={"b.txt": b"both"}, confidential=True)
    desk.reported(open_, closed)
    assert b"both" in opened(desk.made(whole=True)).read(BUNDLE)


def test_an_exhibit_closed_since_closes_the_archive(desk: Desk, judge: User) -> None:
    """Asked again at the download; the new archive holds the digest."""
    one = desk.exhibit(files={"secret.txt": SECRET})
    desk.reported(one)
    made = desk.made(one)
    assert SECRET in bytes_of(made) and asked(desk.clerk, "download", made) == 200
    Exhibit.objects.filter(pk=one.pk).update(confidential=True)
    client, address = as_(desk.clerk), reverse("exports:download", args=[made.public_id])
    assert client.get(address).status_code == 302 and client.get(address, headers={"Range": "bytes=0-9"}).status_code == 302
    assert "不能再下载" in client.get(address, follow=True).content.decode()
    client.post(reverse("exports:again", args=[made.public_id]))
    working.work_once()
    new = Export.objects.first()
    assert new is not None and new != made and SECRET not in bytes_of(new) and asked(desk.clerk, "download", new) == 200


def test_an_exhibit_closed_between_order_and_work_stops_the_work(desk: Desk) -> None:
    one = desk.exhibit(files={"secret.txt": SECRET})
    desk.reported(one)
    ordered = desk.order(one)
    Exhibit.objects.filter(pk=one.pk).update(confidential=True)
    working.work_once()
    ordered.refresh_from_db()
    assert (ordered.state, ordered.fault, list(archive.directory().iterdir())) == ("parked", "RIGHTS: content", [])


def test_nobody_takes_another_s_archive(desk: Desk, judge: User) -> None:
    """Two people of the same case, each with an archive of their own."""
    one = desk.exhibit()
    desk.reported(one)
    made = {user.username: desk.made(one, by=user) for user in (desk.clerk, judge)}
    for user in (desk.clerk, judge):
        for owner, export in made.items():
            assert asked(user, "download", export) == (200 if owner == user.username else 404)
            assert asked(user, "export", export) == 200, "that it was made is known in the case"


def test_whose_rights_end_between_order_and_download_gets_404(desk: Desk, judge: User) -> None:
    """And the other person's archive stays to be had. The answers are those for an export that never was."""
    one = desk.exhibit()
    desk.reported(one)
    his, hers = desk.made(one, by=desk.clerk), desk.made(one, by=judge)
    assert asked(desk.clerk, "download", his) == 200
    Membership.objects.get(user=desk.clerk).end(at=timezone.now())
    never = Export(public_id="00000000-0000-4000-8000-000000000000")
    for name in PAGES:
        assert (asked(desk.clerk, name, his), asked(desk.clerk, name, hers), asked(desk.clerk, name, never)) == (404, 404, 404)
    assert asked(judge, "download", hers) == 200


def test_who_changed_sides_gets_404(desk: Desk) -> None:
    """Once of the court, now of a party: the archive of before is not to be had, whatever the party may know."""
    one = desk.exhibit(exchanged=True)
    desk.reported(one, state="released")
    made = desk.made(one)
    Membership.objects.get(user=desk.clerk).end(at=timezone.now())
    courtroom.join(desk.clerk, desk.case, Role.LITIGANT, Side.PLAINTIFF)
    assert {asked(desk.clerk, name, made) for name in PAGES} == {404}


def test_an_account_that_was_closed_takes_nothing(desk: Desk) -> None:
    made = desk.made(desk.exhibit())
    client = as_(desk.clerk)
    User.objects.filter(pk=desk.clerk.pk).update(is_active=False)
    answer = client.get(reverse("exports:download", args=[made.public_id]))
    assert answer.status_code == 302 and "login" in answer["Location"]


def test_what_may_not_be_known_is_in_no_archive_at_all(desk: Desk, judge: User) -> None:
    """A person of another case, by ids that were learnt somewhere: no row, no digest, the answer of a case that never was."""
    outsider, elsewhere = courtroom.person("outsider"), courtroom.case(2)
    courtroom.join(outsider, elsewhere, Role.CLERK)
    hidden = desk.exhibit(files={"secret.txt": SECRET})
    own = courtroom.hand_in(elsewhere, desk.party, files={"own.txt": b"own"})
    report = desk.reported(hidden)
    client = as_(outsider)
    assert client.post(reverse("exports:make", args=[desk.case.public_id]), {"whole": "yes"}).status_code == 404
    fields: dict[str, Any] = {"exhibit": [str(own.public_id), str(hidden.public_id)], "report": [str(report.public_id)]}
    client.post(reverse("exports:make", args=[elsewhere.public_id]), fields)
    working.work_once()
    made = Export.objects.get()
    held = bytes_of(made)
    assert made.case == elsewhere and [row[0] for row in table(made)[1:]] == ["原告证据1"]
    assert hidden.files.get().sha256.encode() not in held and report.number.encode() not in held


def test_the_case_is_asked_too(desk: Desk, judge: User) -> None:
    """A confidential exhibit of a case that was sealed and opened again goes as its digest still."""
    one = desk.exhibit(files={"secret.txt": SECRET}, confidential=True)
    desk.reported(one)
    for sealed in (True, False):
        Case.objects.filter(pk=desk.case.pk).update(sealed=sealed)
        assert SECRET not in bytes_of(desk.made(one, by=judge))


def test_other_bytes_in_the_vault_are_handed_to_nobody(desk: Desk, tmp_path: Path) -> None:
    """A changed file of a party, a changed report: said, parked, nothing left. To see it fail: copy without hashing."""
    one = desk.exhibit(files={"a.txt": b"as received"})
    report = desk.reported(one)
    for sha256 in (one.files.get().sha256, report.signed_sha256):
        path = tmp_path / "vault" / "sha256" / sha256[:2] / sha256[2:4] / sha256
        right = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(right[:-1] + b"!")
        made = desk.made(one)
        assert (made.state, made.fault_code, list(archive.directory().iterdir())) == ("parked", "MISSING", [])
        path.write_bytes(right)
    assert zipfile.ZipFile(archive.path((done := desk.made(one)).public_id, done.attempt)).testzip() is None
