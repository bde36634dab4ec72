"""The pages of the trust store, as its keepers use them and as others must not find them."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import Office
from evidence.trust import certificates, contents, drafts, packs, showing
from evidence.trust.entries import entries
from evidence.trust.models import Draft, Pack
from tests.evidence.verification import authority

from .conftest import PLATFORM, Keepers, proposed, published

pytestmark = pytest.mark.django_db


def post(client: Client, name: str, *args: object, **data: object) -> Any:
    return client.post(reverse(f"trust:{name}", args=args), data)


def mark_of(draft: Draft, kind: str, name: str = "") -> str:
    found = entries(drafts.whole(draft)).values()
    return showing.mark(next(e for e in found if e.kind == kind and name in e.name))


@pytest.fixture
def root_pem() -> str:
    return authority.issue("Some TSA root", ca=True).pem.decode()


# ── from the first look to publication ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_two_people_publish_through_the_pages(keepers: Keepers) -> None:
    ada, bo = keepers.client("ada"), keepers.client("bo")
    page = ada.get(reverse("trust:index")).content.decode()
    assert "还没有经过两人批准" in page and "某某存证平台" in page and "演示联盟链" in page
    assert post(ada, "start", title="登记第二个平台").status_code == 302
    draft = Draft.objects.get()
    fields = {"id": "second", "title_zh": "第二平台", "operator": "op-b", "hosts": "b.example\nc.example", "checked_on": "2026-11-20", "source": "函件"}
    assert post(ada, "edit", draft.public_id, "platform", **fields).status_code == 302
    page = ada.get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "第二平台" in page and "b.example; c.example" in page and "提请另一人批准" in page
    assert "批准并发布" not in page
    assert post(ada, "decide", draft.public_id, act="propose").status_code == 302
    # Its maker sees no button, and pressing it all the same finds nothing.
    digest = drafts.latest(draft).sha256
    assert "批准并发布" not in ada.get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert post(ada, "decide", draft.public_id, act="approve", digest=digest, looked="yes").status_code == 404
    page = bo.get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "批准并发布" in page and f'value="{digest}"' in page
    assert "我已逐项核对" in bo.post(reverse("trust:decide", args=[draft.public_id]), {"act": "approve", "digest": digest}, follow=True).content.decode()
    assert not Pack.objects.exists()
    assert post(bo, "decide", draft.public_id, act="approve", digest=digest, looked="yes").status_code == 302
    pack = Pack.objects.get()
    assert pack.sha256 == digest and pack.approved_by == keepers.bo
    assert [p.id for p in packs.in_use().trust.platforms] == ["zhixin", "second"]
    page = bo.get(reverse("trust:index")).content.decode()
    assert "第 1 版" in page and digest in page
    assert "第二平台" in bo.get(reverse("trust:pack", args=[digest])).content.decode()


def test_a_second_window_with_an_older_look_publishes_nothing(keepers: Keepers) -> None:
    draft = proposed(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})
    bo = keepers.client("bo")
    seen = drafts.latest(draft).sha256
    drafts.take_back(draft, by=keepers.ada)
    drafts.change(draft, {"policy.json": b"{}"}, what="x", source="x", by=keepers.ada)
    drafts.propose(draft, by=keepers.ada)
    answer = bo.post(reverse("trust:decide", args=[draft.public_id]), {"act": "approve", "digest": seen, "looked": "yes"}, follow=True)
    assert "又有改动" in answer.content.decode() and not Pack.objects.exists()


def test_a_rejection_needs_a_reason_and_shows_it(keepers: Keepers) -> None:
    draft = proposed(keepers)
    bo, digest = keepers.client("bo"), drafts.latest(draft).sha256
    assert "请写明驳回的理由" in bo.post(reverse("trust:decide", args=[draft.public_id]), {"act": "reject", "digest": digest}, follow=True).content.decode()
    page = bo.post(reverse("trust:decide", args=[draft.public_id]), {"act": "reject", "digest": digest, "reason": "指纹不符"}, follow=True)
    assert "指纹不符" in page.content.decode() and "已驳回" in page.content.decode()


# ── the edits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def draft(keepers: Keepers) -> Draft:
    published(keepers)
    return drafts.start("一次变更", by=keepers.ada)


def edited(keepers: Keepers, draft: Draft, what: str, thing: str = "", **fields: object) -> Any:
    path = reverse("trust:edit", args=[draft.public_id, what]) + (f"?thing={thing}" if thing else "")
    client = keepers.client("ada")
    assert client.get(path).status_code == 200
    return client.post(path, {"source": "函件", **fields})


def test_a_platform_is_changed_and_keeps_what_the_form_does_not_know(keepers: Keepers, draft: Draft) -> None:
    fields = {"id": "zhixin", "title_zh": "改名平台", "operator": "op-a", "hosts": "evidence.example", "checked_on": "2026-11-21"}
    assert edited(keepers, draft, "platform", mark_of(draft, "platform"), **fields).status_code == 302
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "<del>某某存证平台</del>" in page and "改名平台" in page and "<del>2026-11-01</del>" in page
    assert drafts.whole(draft).store().platforms[0].title["zh"] == "改名平台"


def test_a_form_left_empty_says_what_is_missing(keepers: Keepers, draft: Draft) -> None:
    for what, thing in (("platform", ""), ("chain", ""), ("root", ""), ("epoch", "chain"), ("validator", "chain"), ("checkpoint", "chain"), ("org-root", "chain"), ("member", "")):
        client = keepers.client("ada")
        path = reverse("trust:edit", args=[draft.public_id, what]) + (f"?thing={mark_of(draft, thing)}" if thing else "")
        answer = client.post(path, {})
        assert answer.status_code == 422 and "有一处或几处需要改正" in answer.content.decode(), what


def test_a_new_set_of_validators_from_a_height_on(keepers: Keepers, draft: Draft) -> None:
    chain = mark_of(draft, "chain")
    assert edited(keepers, draft, "epoch", chain, first="5000", quorum="").status_code == 302
    new = {"first": "5000", "key": "0x" + "ab" * 64, "operator": "op-new", "role": "neutral", "weight": "1", "node_name": "公证处节点"}
    assert edited(keepers, draft, "validator", chain, **new).status_code == 302
    [profile] = drafts.whole(draft).store().chains
    old, young = profile.epochs
    assert (old.to_height, young.from_height, young.to_height) == (4999, 5000, None)
    assert len(young.validators) == len(old.validators) + 1 and young.validators[-1].operator == "op-new"
    gone = mark_of(draft, "validator", "公证处节点")
    client = keepers.client("ada")
    page = client.get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "公证处节点" in page and "5000–" in page
    path = reverse("trust:remove", args=[draft.public_id]) + f"?thing={gone}"
    assert "公证处节点" in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    assert len(drafts.whole(draft).store().chains[0].epochs[1].validators) == len(old.validators)


def test_a_validator_is_known_by_point_by_key_or_by_certificate(keepers: Keepers, draft: Draft) -> None:
    """As operators hand them over: PEM of a key, PEM of a certificate, hexadecimal digits; what a family writes differs."""
    holder = authority.issue("node", key=ec.generate_private_key(ec.SECP256R1()))
    public = holder.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    suite = {"hash": "SHA256", "signature": "ECDSA-P256"}
    new = {"directory": "maker", "id": "maker", "title_zh": "链", "operator": "o", "family": "chainmaker", "chain_id": "c1", "consensus": "BFT"}
    assert edited(keepers, draft, "chain", **new, rest=json.dumps({"suite": suite})).status_code == 302
    maker = mark_of(draft, "chain", "maker")
    edited(keepers, draft, "member", path="consortium/maker/validators.json", text=json.dumps({"epochs": [{"from_height": 0, "validators": [{"key": "aa" * 91, "operator": "o"}]}]}))
    who = {"first": "0", "operator": "o", "role": "court", "weight": "1", "org": "机构", "node_name": "n"}
    digest = hashlib.sha256(holder.der).hexdigest()
    assert edited(keepers, draft, "validator", maker, key=pem, **who).status_code == 302
    assert edited(keepers, draft, "validator", maker, key=holder.pem.decode(), **who).status_code == 302
    assert edited(keepers, draft, "validator", maker, key="cd" * 32, **who).status_code == 302
    assert edited(keepers, draft, "validator", mark_of(draft, "chain", "fisco3"), key=pem, **who).status_code == 302
    fisco, other = sorted(drafts.whole(draft).store().chains, key=lambda c: c.id)
    assert fisco.epochs[0].validators[-1].key == point
    assert [(v.key, v.cert_sha256 and v.cert_sha256.hex()) for v in other.epochs[0].validators[1:]] == [(der, None), (None, digest), (None, "cd" * 32)]
    for wrong in ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "xyz"):
        assert edited(keepers, draft, "validator", maker, key=wrong, **who).status_code == 422, wrong
    # Changed: what is emptied goes, what the form does not know stays.
    changed = {"first": "0", "operator": "p", "role": "neutral", "weight": "2", "key": digest}
    named = next(showing.mark(e) for e in entries(drafts.whole(draft)).values() if e.kind == "validator" and e.key[2] == digest)
    assert edited(keepers, draft, "validator", named, **changed).status_code == 302
    held = next(v for c in drafts.whole(draft).store().chains for v in c.epochs[0].validators if v.cert_sha256 and v.cert_sha256.hex() == digest)
    assert (held.operator, held.role, held.weight, held.org, held.node_name) == ("p", "neutral", 2, "", "")


def test_an_edit_of_another_kind_of_thing_does_not_exist(keepers: Keepers, draft: Draft) -> None:
    for what in ("platform", "chain", "epoch", "validator", "checkpoint", "org-root", "root", "crl", "policy", "member"):
        for kind in ("platform", "chain", "validator", "epoch", "court"):
            path = reverse("trust:edit", args=[draft.public_id, what]) + f"?thing={mark_of(draft, kind)}"
            due = {"platform": ["platform"], "chain": ["chain"], "epoch": ["chain"], "validator": ["chain", "validator"], "checkpoint": ["chain"], "org-root": ["chain"]}
            assert (keepers.client("ada").get(path).status_code == 200) == (kind in due.get(what, [])), (what, kind)


def test_what_the_engine_refuses_is_said_with_the_member(keepers: Keepers, draft: Draft) -> None:
    chain = mark_of(draft, "chain")
    short = {"first": "0", "key": "ab" * 32, "operator": "o", "role": "court", "weight": "1"}
    answer = edited(keepers, draft, "validator", chain, **short)
    assert answer.status_code == 422 and "consortium/demo/validators.json" in answer.content.decode()
    assert edited(keepers, draft, "checkpoint", chain, height="7", hash="ab", basis="copied").status_code == 422
    answer = edited(keepers, draft, "member", path="platforms.json", text="{")
    assert answer.status_code == 422 and "platforms.json" in answer.content.decode()


def test_a_checkpoint_and_a_root(keepers: Keepers, draft: Draft, root_pem: str) -> None:
    chain = mark_of(draft, "chain")
    pin = {"height": "7", "hash": "ab" * 32, "basis": "independent", "recorded_at": "2026-11-22T08:00:00+08:00"}
    assert edited(keepers, draft, "checkpoint", chain, **pin).status_code == 302
    assert edited(keepers, draft, "root", purpose="tsa/certs", pem=root_pem).status_code == 302
    store = drafts.whole(draft).store()
    assert store.chains[0].checkpoint_at(7) is not None and len(store.tsa_roots) == 1
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    [fact] = certificates.facts(root_pem.encode())
    assert fact.fingerprint in page and fact.common_name in page and f"{fact.not_after:%Y-%m-%d}" in page
    client = keepers.client("ada")
    assert client.post(reverse("trust:remove", args=[draft.public_id]) + f"?thing={mark_of(draft, 'root')}").status_code == 302
    assert not drafts.whole(draft).store().tsa_roots
    assert edited(keepers, draft, "root", purpose="tsa/certs", pem="x").status_code == 422


def test_a_revocation_list_takes_the_place_of_its_issuer_s_last_one(keepers: Keepers, draft: Draft) -> None:
    holder = authority.issue("Some seal authority", ca=True)

    def listed(day: int, *serials: int) -> str:
        at = datetime(2026, 11, day, tzinfo=UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(holder.certificate.subject)
        builder = builder.last_update(at).next_update(at + timedelta(days=7))
        for serial in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            )
        return builder.sign(holder.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    assert edited(keepers, draft, "root", purpose="seals/certs", pem=holder.pem.decode()).status_code == 302
    assert edited(keepers, draft, "crl", pem=listed(10)).status_code == 302
    assert edited(keepers, draft, "crl", pem=listed(20, 7, 8)).status_code == 302
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "Some seal authority" in page and "2026-11-20 00:00" in page and "2026-11-10" not in page
    assert edited(keepers, draft, "crl", pem=listed(15)).status_code == 422, "an older one"
    assert edited(keepers, draft, "crl", pem="x").status_code == 422
    assert len([p for p in drafts.whole(draft).members if p.endswith(".crl")]) == 1


def test_a_chain_is_added_and_taken_out(keepers: Keepers, draft: Draft) -> None:
    suite = {"hash": "SM3", "signature": "SM2"}
    new = {"directory": "other", "id": "other-chain", "title_zh": "另一条链", "operator": "o", "family": "chainmaker", "chain_id": "c1", "consensus": "BFT"}
    assert edited(keepers, draft, "chain", **new, rest=json.dumps({"suite": suite, "consensus": "BFT"})).status_code == 422
    assert edited(keepers, draft, "chain", **new, rest=json.dumps({"suite": suite})).status_code == 302
    assert {c.id for c in drafts.whole(draft).store().chains} == {"demonstration-fisco3", "other-chain"}
    client = keepers.client("ada")
    path = reverse("trust:remove", args=[draft.public_id]) + f"?thing={mark_of(draft, 'chain', 'other')}"
    assert client.post(path).status_code == 302
    assert {c.id for c in drafts.whole(draft).store().chains} == {"demonstration-fisco3"}


def test_the_policy(keepers: Keepers, draft: Draft) -> None:
    assert edited(keepers, draft, "policy", accept_d="zhixin", tsa_policies="1.2.3.4\n1.2.3.5").status_code == 302
    store = drafts.whole(draft).store()
    assert (store.accept_d, store.tsa_policies) == ({"zhixin"}, {"1.2.3.4", "1.2.3.5"})


def test_members_no_form_knows_are_shown_by_their_own_names(keepers: Keepers, draft: Draft) -> None:
    """Fields and members of a later engine: each reads as what it is, none goes by unseen."""
    seals = json.dumps({"seals": [{"id": "seal-1", "algorithm": "SM2", "valid": {"from": "2026-01-01"}}], "note": "n"}).encode()
    drafts.change(draft, {"seals.json": seals, "btc/segment.bin": b"\x00\x01"}, what="x", source="y", by=keepers.ada)
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    for word in ("seal-1", "valid.from", "algorithm", "note", "btc/segment.bin"):
        assert word in page, word
    before = drafts.latest(draft).sha256
    again = {**{"seals.json": seals + b"\n"}}
    drafts.change(draft, again, what="x", source="y", by=keepers.ada)
    assert drafts.latest(draft).sha256 != before


def test_a_change_of_writing_alone_is_still_seen(keepers: Keepers) -> None:
    published(keepers)
    published(keepers, {"policy.json": b'{"accept_d": ["zhixin"]}'})  # from here on the head is the portal's own
    draft = drafts.start("写法", by=keepers.ada)
    text = drafts.whole(draft).members["platforms.json"]
    drafts.change(draft, {"platforms.json": text + b"\n"}, what="x", source="另一来源", by=keepers.ada)
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "只有文件的写法或来源不同" in page and "另一来源" in page


def test_names_that_would_mislead_the_approver_are_spelt_out(keepers: Keepers, draft: Draft) -> None:
    """An operator that reads the other way round. To see it fail: take `legible` off the facts."""
    tricked = json.dumps({"platforms": [{**PLATFORM, "operator": "op\u202ea", "registration": "备案\u200b号"}]}).encode()
    drafts.change(draft, {"platforms.json": tricked}, what="x", source="y\u202e", by=keepers.ada)
    page = keepers.client("ada").get(reverse("trust:draft", args=[draft.public_id])).content.decode()
    assert "\u202e" not in page and "〔U+202E〕" in page and "〔U+200B〕" in page


@pytest.mark.parametrize("version", ["x" * 101, "a\nb", "a\u0000", 7])
def test_a_version_that_is_no_line_is_not_taken(keepers: Keepers, draft: Draft, version: object) -> None:
    whole = drafts.whole(draft)
    manifest = json.dumps({**json.loads(whole.manifest), "version": version}).encode()
    answer = sent(keepers, draft, archive({"manifest.json": manifest, **whole.members}))
    assert answer.status_code == 422, version


def test_a_reason_with_a_nul_is_no_fault_of_ours(keepers: Keepers) -> None:
    draft = proposed(keepers)
    digest = drafts.latest(draft).sha256
    assert post(keepers.client("bo"), "decide", draft.public_id, act="reject", digest=digest, reason="不\0对").status_code == 302
    draft.refresh_from_db()
    assert draft.reason == "不对"


# ── archives ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def archive(files: dict[str, bytes], *, mode: int = 0o100644, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = method
            made.writestr(info, data)
    return out.getvalue()


def sent(keepers: Keepers, draft: Draft, data: bytes) -> Any:
    file = io.BytesIO(data)
    file.name = "pack.zip"
    return keepers.client("ada").post(reverse("trust:import", args=[draft.public_id]), {"pack": file})


def test_what_is_downloaded_can_be_brought_back(keepers: Keepers, draft: Draft) -> None:
    pack = Pack.objects.get()
    data = keepers.client("sue").get(reverse("trust:pack_file", args=[pack.sha256])).content
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.read("manifest.sig").decode() == pack.signature
    assert contents.of_zip(data).sha256 == pack.sha256
    drafts.change(draft, {"policy.json": b'{"accept_d": ["zhixin"]}'}, what="x", source="x", by=keepers.ada)
    changed = keepers.client("ada").get(reverse("trust:draft_file", args=[draft.public_id])).content
    assert sent(keepers, draft, data).status_code == 302, "the old pack, as a new version"
    assert sent(keepers, draft, changed).status_code == 302
    assert drafts.whole(draft).store().accept_d == {"zhixin"}


ATTACKS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "slip": lambda f: archive({**f, "../x": b"x"}),
    "absolute": lambda f: archive({**f, "/etc/passwd": b"x"}),
    "backslash": lambda f: archive({**f, "..\\x": b"x"}),
    "link": lambda f: archive({"platforms.json": b"/etc/passwd"}, mode=0o120777),
    "extra": lambda f: archive({**f, "x.pem": b"x"}),
    "missing": lambda f: archive({k: v for k, v in f.items() if k != "platforms.json"}),
    "changed": lambda f: archive({**f, "platforms.json": b'{"platforms": []}'}),
    "twice": lambda f: archive(f) + archive(f),
    "nothing": lambda f: archive({}),
    "no zip": lambda f: b"hello",
    "no manifest": lambda f: archive({k: v for k, v in f.items() if k != "manifest.json"}),
    "bomb": lambda f: archive({**f, "x.bin": bytes(300 << 20)}),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_is_no_pack_changes_nothing(keepers: Keepers, draft: Draft, attack: str) -> None:
    with zipfile.ZipFile(io.BytesIO(keepers.client("ada").get(reverse("trust:draft_file", args=[draft.public_id])).content)) as opened:
        files = {n: opened.read(n) for n in opened.namelist()}
    before = drafts.latest(draft).sha256
    answer = sent(keepers, draft, ATTACKS[attack](files))
    assert answer.status_code == 422 and "没有导入" in answer.content.decode()
    assert drafts.latest(draft).sha256 == before


def test_an_archive_too_large_is_not_read(keepers: Keepers, draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "ZIP_BYTES_MAX", 100)
    answer = sent(keepers, draft, b"x" * 101)
    assert answer.status_code == 422 and "文件太大" in answer.content.decode()


def test_a_file_needs_the_form_s_token_and_an_office(keepers: Keepers, draft: Draft) -> None:
    """To see it fail: leave csrf_protect off the inner view."""
    for name, status in (("ada", 403), ("bo", 404), ("joe", 404)):
        client = Client(enforce_csrf_checks=True)
        client.force_login(getattr(keepers, name))
        file = io.BytesIO(b"PK")
        file.name = "pack.zip"
        assert client.post(reverse("trust:import", args=[draft.public_id]), {"pack": file}).status_code == status, name


# ── who finds what ────────────────────────────────────────────────────────────────────────────────────────────────────


def pages(draft: Draft, pack: Pack) -> list[tuple[str, str]]:
    """(method, path) of every page of the room."""
    key, digest = draft.public_id, pack.sha256
    return [
        ("get", reverse("trust:index")),
        ("get", reverse("trust:pack", args=[digest])),
        ("get", reverse("trust:pack_file", args=[digest])),
        ("post", reverse("trust:start")),
        ("get", reverse("trust:draft", args=[key])),
        ("get", reverse("trust:draft_file", args=[key])),
        ("get", reverse("trust:edit", args=[key, "platform"])),
        ("post", reverse("trust:edit", args=[key, "platform"])),
        ("get", reverse("trust:remove", args=[key]) + f"?thing={mark_of(draft, 'platform')}"),
        ("post", reverse("trust:remove", args=[key]) + f"?thing={mark_of(draft, 'platform')}"),
        ("get", reverse("trust:import", args=[key])),
        ("post", reverse("trust:import", args=[key])),
        ("post", reverse("trust:decide", args=[key])),
    ]


def test_for_others_there_is_no_trust_store(keepers: Keepers, draft: Draft) -> None:
    """To see it fail: take @_office off a view."""
    joe, sue, bo = (keepers.client(n) for n in ("joe", "sue", "bo"))
    looks = {reverse("trust:index"), reverse("trust:draft", args=[draft.public_id]), reverse("trust:draft_file", args=[draft.public_id])}
    absent = joe.get("/trust/nothing/here/").content
    for method, path in pages(draft, Pack.objects.get()):
        found = getattr(joe, method)(path)
        assert found.status_code == 404, path
        assert re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", found.content) == re.sub(
            rb'name="csrfmiddlewaretoken" value="\w+"', b"", absent
        )
        assert getattr(Client(), method)(path).status_code == 302, path
        may_look = path in looks or "/packs/" in path
        assert (getattr(sue, method)(path).status_code == 200) == may_look, path
        if "/drafts/" in path and "start" not in path and "decide" not in path:
            assert (getattr(bo, method)(path).status_code == 200) == may_look, path
    Office.objects.get(user=keepers.sue).end(at=timezone.now())
    assert sue.get(reverse("trust:index")).status_code == 404


def test_an_act_that_is_none_does_not_exist(keepers: Keepers, draft: Draft) -> None:
    assert post(keepers.client("ada"), "decide", draft.public_id, act="burn").status_code == 404
    assert keepers.client("ada").get(reverse("trust:edit", args=[draft.public_id, "burn"])).status_code == 404
    assert keepers.client("ada").get(reverse("trust:edit", args=[draft.public_id, "validator"])).status_code == 404
    assert keepers.client("ada").get(reverse("trust:remove", args=[draft.public_id])).status_code == 404


@pytest.mark.parametrize("act", ["approve", "reject"])
@pytest.mark.parametrize("name", ["sue", "joe", "ada"])
def test_who_may_not_decide_learns_nothing_of_it(keepers: Keepers, act: str, name: str) -> None:
    draft = proposed(keepers)
    assert post(keepers.client(name), "decide", draft.public_id, act=act, digest="0" * 64, reason="x").status_code == 404


# ── what shows ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_platform_nobody_looked_at_for_long_is_said(keepers: Keepers) -> None:
    page = keepers.client("sue").get(reverse("trust:index")).content.decode()
    assert "久未核对" not in page
    old = (datetime.now(UTC) - timedelta(days=181)).date().isoformat()
    published(keepers, {"platforms.json": json.dumps({"platforms": [{**PLATFORM, "checked_on": old}]}).encode()})
    assert "久未核对" in keepers.client("sue").get(reverse("trust:index")).content.decode()


def test_a_store_that_cannot_be_used_is_said_on_its_page(keepers: Keepers) -> None:
    pack = published(keepers)
    packs.directory(pack)
    file = packs.shelf() / pack.sha256 / "manifest.json"
    file.chmod(0o644)
    file.write_bytes(b"{}")
    page = keepers.client("sue").get(reverse("trust:index"))
    assert page.status_code == 200 and "核验已停止" in page.content.decode()


QUERIES = {"index": 9, "pack": 5, "draft": 7}


@pytest.mark.parametrize("many", [1, 8])
def test_how_many_questions_a_page_asks(keepers: Keepers, many: int) -> None:
    """As an auditor, who is no superuser. The number does not grow with what is listed."""
    published(keepers)
    for n in range(many):
        draft = drafts.start(f"第{n}次", by=keepers.ada)
        drafts.change(draft, {"policy.json": json.dumps({"accept_d": [f"p{n}"]}).encode()}, what="x", source="x", by=keepers.ada)
        drafts.propose(draft, by=keepers.ada)
        pack = drafts.approve(draft, digest=drafts.latest(draft).sha256, by=keepers.bo)
    client = keepers.client("bo")
    paths = {
        "index": reverse("trust:index"),
        "pack": reverse("trust:pack", args=[pack.sha256]),
        "draft": reverse("trust:draft", args=[draft.public_id]),
    }
    found = {}
    for name, path in paths.items():
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        found[name] = len(asked)
    assert found == QUERIES
