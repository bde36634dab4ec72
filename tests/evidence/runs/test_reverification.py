"""A later trust store: which results it touches, and a new run beside the old one (reliability P8)."""

import copy
import hashlib
import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Case, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.runs import queue, reverification, working
from evidence.runs.models import Lane, Run, RunVerdict
from evidence.trust import packs
from evidence.trust.difference import Difference, How
from evidence.trust.entries import Entry
from evidence.trust.models import Pack
from evidence.verification import Exhibit as CoreExhibit
from evidence.verification import TrustStore, verify
from evidence.verification.exhibit import Source
from portal.people.models import User
from tests import courtroom
from tests.evidence.trust import conftest as trust
from tests.evidence.trust.conftest import PLATFORM, Keepers
from tests.evidence.verification import authority
from tests.evidence.verification import fisco3_exhibits as block

first, keepers = trust.first, trust.keepers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case(keepers: Keepers) -> Case:
    return courtroom.case()


@pytest.fixture
def clerk(case: Case) -> User:
    user = courtroom.person("clerk")
    courtroom.join(user, case, Role.CLERK)
    return user


@pytest.fixture
def party(case: Case) -> User:
    user = courtroom.person("party")
    courtroom.join(user, case, Role.LITIGANT, Side.PLAINTIFF)
    return user


def filed(case: Case, party: User, files: dict[str, bytes]) -> Exhibit:
    exhibit = courtroom.hand_in(case, party, files=files)
    with transaction.atomic():
        queue.request(exhibit, by=party)
    assert working.work_once(worker="w")
    return exhibit


def latest(exhibit: Exhibit) -> RunVerdict:
    return RunVerdict.objects.filter(run__exhibit=exhibit).order_by("-run__number")[0]


def publish(keepers: Keepers, members: dict[str, bytes | None]) -> Pack:
    return trust.published(keepers, members)


def validators(change: Any) -> dict[str, bytes | None]:
    sets = copy.deepcopy(block.built().validators)
    change(sets)
    return {"consortium/demo/validators.json": json.dumps(sets, default=str).encode()}


def without_a_validator(sets: dict[str, Any]) -> None:
    """The court learns that two of the four keys are not who they seemed."""
    sets["epochs"][0]["validators"] = sets["epochs"][0]["validators"][:1]


def test_a_run_records_the_pack_in_force_when_it_was_claimed(keepers: Keepers, case: Case, party: User) -> None:
    pack = publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    exhibit = filed(case, party, block.files(block.built()))
    assert latest(exhibit).trust_sha256 == pack.sha256 and latest(exhibit).overall == "CONSISTENT"
    newer = publish(keepers, validators(without_a_validator))
    assert packs.in_use(at=latest(exhibit).at).pack == pack and packs.in_use().pack == newer


def test_a_pack_changed_on_disk_gives_no_verdict(keepers: Keepers, case: Case, party: User) -> None:
    pack = publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    file = packs.shelf() / pack.sha256 / "platforms.json"
    file.chmod(0o644)
    file.write_bytes(b'{"platforms": []}')
    exhibit = courtroom.hand_in(case, party, files={"a": b"a"})
    with transaction.atomic():
        queue.request(exhibit, by=party)
    working.work_once(worker="w")
    run = Run.objects.get(exhibit=exhibit)
    assert run.state == Run.State.QUEUED and "platforms.json" in run.fault and not RunVerdict.objects.exists()


def test_what_a_new_pack_touches_is_verified_again_beside_the_old(keepers: Keepers, case: Case, party: User, clerk: User) -> None:
    old_pack = publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    exhibit = filed(case, party, block.files(block.built()))
    plain = filed(case, party, {"note.txt": b"only a file"})
    before = latest(exhibit)
    kept = bytes(before.document)
    assert reverification.touched(clerk) == []
    publish(keepers, validators(without_a_validator))
    [one] = reverification.touched(clerk)
    assert one.verdict == before and {d.entry.kind for d in one.differences} == {"epoch", "validator"}
    client = Client()
    client.force_login(clerk)
    assert "看哪些可以重新核验" in client.get(reverse("home")).content.decode()
    page = client.get(reverse("runs:again")).content.decode()
    assert exhibit.name in page and "验证节点" in page and str(plain.public_id) not in page
    assert client.post(reverse("runs:again"), {"exhibit": [str(exhibit.public_id), str(plain.public_id), "x"]}).status_code == 302
    run = Run.objects.get(state=Run.State.QUEUED)
    assert (run.exhibit, run.lane, run.requested_by, run.number) == (exhibit, Lane.REVERIFY, clerk, 2)
    assert client.post(reverse("runs:again"), {"exhibit": [str(exhibit.public_id)]}).status_code == 302
    assert Run.objects.filter(exhibit=exhibit).count() == 2, "pressed twice"
    assert working.work_once(worker="w")
    after = latest(exhibit)
    assert after.trust_sha256 != old_pack.sha256 and after.overall != "CONSISTENT"
    before.refresh_from_db()
    assert bytes(before.document) == kept and hashlib.sha256(kept).hexdigest() == before.sha256
    assert reverification.touched(clerk) == []
    # And the old one can still be reached: the old pack, the old moment, the old bytes.
    files = [Source.from_bytes(n, d) for n, d in block.files(block.built()).items()]
    assert verify(CoreExhibit.of(files), TrustStore.load(packs.directory(old_pack)), before.at).to_json() == kept


ROOT_PEM = authority.issue("Some TSA root", ca=True).pem
UNTOUCHED: dict[str, dict[str, bytes | None]] = {
    "a platform": {"platforms.json": json.dumps({"platforms": [{**PLATFORM, "checked_on": "2026-11-20"}]}).encode()},
    "a time-stamping root": {"tsa/certs/x.pem": ROOT_PEM},
    "another chain": {
        "consortium/other/profile.json": json.dumps({**block.built().profile, "id": "other", "chain_id": "c9", "genesis_hash": None}).encode(),
        "consortium/other/validators.json": json.dumps({**block.built().validators}, default=str).encode(),
    },
    "a name": {"consortium/demo/profile.json": json.dumps({**block.built().profile, "title": {"zh": "改名", "en": "renamed"}}).encode()},
}
TOUCHED: dict[str, dict[str, bytes | None]] = {
    "the chain goes": {"consortium/demo/profile.json": None, "consortium/demo/validators.json": None},
    "its contracts": {"consortium/demo/profile.json": json.dumps({**block.built().profile, "contracts": []}).encode()},
    "its id": {"consortium/demo/profile.json": json.dumps({**block.built().profile, "id": "renamed"}).encode()},
    "a checkpoint": {"consortium/demo/checkpoints.json": json.dumps({"checkpoints": [{"height": 1204, "hash": "ab" * 32, "basis": "independent"}]}).encode()},
}


@pytest.mark.parametrize("change", UNTOUCHED)
def test_a_change_elsewhere_touches_nothing(keepers: Keepers, case: Case, party: User, clerk: User, change: str) -> None:
    publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    filed(case, party, block.files(block.built()))
    publish(keepers, UNTOUCHED[change])
    assert reverification.touched(clerk) == []


@pytest.mark.parametrize("change", TOUCHED)
def test_a_change_of_what_it_rests_on_touches_it(keepers: Keepers, case: Case, party: User, clerk: User, change: str) -> None:
    publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    exhibit = filed(case, party, block.files(block.built()))
    publish(keepers, TOUCHED[change])
    assert [t.verdict.run.exhibit for t in reverification.touched(clerk)] == [exhibit]


def test_a_chain_that_was_missing_is_offered_once_it_is_there(keepers: Keepers, case: Case, party: User, clerk: User) -> None:
    chain = {
        "consortium/demo/profile.json": json.dumps(block.built().profile, default=str).encode(),
        "consortium/demo/validators.json": json.dumps(block.built().validators, default=str).encode(),
    }
    publish(keepers, dict.fromkeys(chain))
    exhibit = filed(case, party, block.files(block.built()))
    assert latest(exhibit).overall == "INDETERMINATE"
    publish(keepers, chain)  # type: ignore[arg-type]
    assert [t.verdict.run.exhibit for t in reverification.touched(clerk)] == [exhibit]
    assert reverification.again(clerk, [str(exhibit.public_id)]) == 1
    working.work_once(worker="w")
    assert latest(exhibit).overall == "CONSISTENT"


def test_a_format_that_is_not_known_here_may_rest_on_anything() -> None:
    said = {"sources": [{"format": "later"}], "findings": []}
    for anchor in ("policy:x", "platform:y", "root:tsa/certs", "other:nodes/x.json", "chain:fabric:z"):
        found = Difference(How.CHANGED, Entry("object", ("x",), "x", (), anchor), ())
        assert reverification.rests_on(said, Difference(How.REMOVED, found.entry, ()))
        assert not reverification.rests_on({**said, "sources": [{"format": "unknown"}]}, Difference(How.REMOVED, found.entry, ()))


def test_only_who_may_verify_finds_the_page(keepers: Keepers, case: Case, party: User, clerk: User) -> None:
    """Keepers of the trust store see no case by it; another court's clerk sees none of ours."""
    publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    exhibit = filed(case, party, block.files(block.built()))
    publish(keepers, validators(without_a_validator))
    other = courtroom.person("other")
    courtroom.join(other, courtroom.case(99), Role.CLERK)
    for user, status in ((party, 404), (keepers.ada, 404), (keepers.joe, 404), (other, 200), (clerk, 200)):
        client = Client()
        client.force_login(user)
        page = client.get(reverse("runs:again"))
        assert page.status_code == status, user
        assert (str(exhibit.public_id) in page.content.decode()) == (user == clerk)
        client.post(reverse("runs:again"), {"exhibit": [str(exhibit.public_id)]})
        assert Run.objects.filter(exhibit=exhibit).count() == (2 if user == clerk else 1), user
    assert Client().get(reverse("runs:again")).status_code == 302


QUERIES = 5


@pytest.mark.parametrize("many", [1, 6])
def test_how_many_questions_the_page_asks(keepers: Keepers, case: Case, party: User, clerk: User, many: int) -> None:
    pack = publish(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    for _ in range(many):
        exhibit = courtroom.hand_in(case, party)
        run = courtroom.run(exhibit, courtroom.consistent())
        with connection.cursor() as cursor:  # reached under the first pack
            cursor.execute("ALTER TABLE runs_runverdict DISABLE TRIGGER USER")
            cursor.execute("UPDATE runs_runverdict SET trust_sha256 = %s WHERE run_id = %s", [pack.sha256, run.pk])
            cursor.execute("ALTER TABLE runs_runverdict ENABLE TRIGGER USER")
    publish(keepers, validators(without_a_validator))
    client = Client()
    client.force_login(clerk)
    client.get(reverse("runs:again"))
    with CaptureQueriesContext(connection) as asked:
        page = client.get(reverse("runs:again")).content.decode()
    assert page.count('name="exhibit"') == many and len(asked) == QUERIES
