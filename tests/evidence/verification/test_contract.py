"""The contract every format relies on: sources, the trust store, and how findings become a verdict."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.verification import Exhibit, ExhibitError, Source, TrustError, TrustStore, selftest, verify
from evidence.verification.exhibit import FILES_MAX, NAME_MAX
from evidence.verification.keys.x509 import Certificate
from evidence.verification.reasons import Reason
from evidence.verification.registry import FORMATS
from evidence.verification.selftest import signatures
from evidence.verification.trust import SHIPPED
from evidence.verification.verdict import (
    Bearing,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    Overall,
    ProofState,
    ProvenTime,
    Step,
    Walk,
    conclude,
    failed,
    indeterminate,
    instant,
    passed,
    step,
)
from tests.anchor_packs import write_pack
from tests.evidence.verification import fisco3_exhibits, test_proof_package

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

# ── sources ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_order_of_handing_in_does_not_show() -> None:
    files = [Source.from_bytes(name, data) for name, data in (("b", b"1"), ("a", b"2"), ("a", b"1"), ("", b"0"))]
    forward, backward = Exhibit.of(files), Exhibit.of(reversed(files))
    assert [(s.name, s.sha256) for s in forward.sources] == [(s.name, s.sha256) for s in backward.sources]
    assert [s.name for s in forward.sources] == ["", "a", "a", "b"]


def test_an_exhibit_has_one_to_fifty_files() -> None:
    with pytest.raises(ExhibitError):
        Exhibit.of([])
    source = Source.from_bytes("x", b"")
    assert len(Exhibit.of([source] * FILES_MAX).sources) == FILES_MAX
    with pytest.raises(ExhibitError):
        Exhibit.of([source] * (FILES_MAX + 1))


def test_reading_a_source() -> None:
    data = bytes(range(256)) * 5000
    source = Source.from_bytes("n" * 1000, data)
    assert len(source.name) == NAME_MAX
    assert source.size == len(data)
    assert source.read(len(data)) == data
    assert source.read(len(data) - 1) is None
    assert source.head(3) == data[:3]
    assert source.tail(3) == data[-3:]
    with source.open() as one, source.open() as other:
        one.seek(1000)
        assert other.read(10) == data[:10]
        assert one.read(10) == data[1000:1010]
    import hashlib

    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.digest("SHA-512") == hashlib.sha512(data).digest()


# ── the trust store ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_store_loads_and_holds_public_roots_only() -> None:
    store = TrustStore.load(SHIPPED)
    assert not store.demonstration
    assert store.chains == ()
    assert store.accept_d == frozenset()
    assert len(store.tsa_roots) >= 5
    assert len(store.web_roots) >= 2
    for root in map(Certificate, (*store.tsa_roots, *store.web_roots)):
        assert root.subject == root.issuer
        assert root.signed_by(root)
        assert root.is_ca
        assert root.not_after > AT


def test_the_digest_of_a_store_covers_all_of_it(tmp_path: Path) -> None:
    first = TrustStore.load(write_pack(tmp_path / "a"))
    again = TrustStore.load(write_pack(tmp_path / "b"))
    other = TrustStore.load(write_pack(tmp_path / "c", policy={"accept_d": ["x"]}))
    assert first.digest == again.digest
    assert first.digest != other.digest
    assert first.identity()["label"] == "court"
    assert TrustStore.load(write_pack(tmp_path / "d", demonstration=True)).identity()["label"] == "demonstration"
    assert TrustStore.empty().identity() == {"sha256": "none", "version": "none", "label": "none"}


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


TAMPERINGS: dict[str, Callable[[Path], object]] = {
    "changed member": lambda d: _rewrite(d / "policy.json", lambda b: b + b" "),
    "missing member": lambda d: (d / "policy.json").unlink(),
    "extra member": lambda d: (d / "tsa.pem").write_bytes(b""),
    "hidden extra member": lambda d: (d / ".x").write_bytes(b""),
    "link instead of a member": lambda d: ((d / "policy.json").rename(d.parent / "p"), (d / "policy.json").symlink_to(d.parent / "p")),
    "extra link": lambda d: (d / "link").symlink_to("/etc/hostname"),
    "no manifest": lambda d: (d / "manifest.json").unlink(),
    "manifest not JSON": lambda d: (d / "manifest.json").write_bytes(b"{"),
    "manifest twice the same name": lambda d: _rewrite(d / "manifest.json", lambda b: b.replace(b'"version"', b'"format"')),
    "manifest of another format": lambda d: _rewrite(d / "manifest.json", lambda b: b.replace(b"mingjian.anchor-pack", b"mingjian.anchor-pac")),
    "manifest without members": lambda d: (d / "manifest.json").write_bytes(b'{"format":"mingjian.anchor-pack"}'),
    "manifest a list": lambda d: (d / "manifest.json").write_bytes(b"[]"),
    "manifest with members of another kind": lambda d: (d / "manifest.json").write_bytes(b'{"format":"mingjian.anchor-pack","members":[{"path":1,"sha256":[]}]}'),
    "member outside": lambda d: _rewrite(d / "manifest.json", lambda b: b.replace(b'"policy.json"', b'"../policy.json"')),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_store_is_not_loaded(tmp_path: Path, tampering: str) -> None:
    directory = write_pack(tmp_path / "pack")
    TrustStore.load(directory)
    TAMPERINGS[tampering](directory)
    with pytest.raises(TrustError):
        TrustStore.load(directory)


@pytest.mark.parametrize("root", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"hello"])
def test_a_root_that_is_no_certificate(tmp_path: Path, root: bytes) -> None:
    directory = write_pack(tmp_path / "pack", tsa_roots=[root])
    with pytest.raises(TrustError):
        TrustStore.load(directory)


# ── findings become a verdict ─────────────────────────────────────────────────────────────────────────────────────────

FILE, OTHER = "aa" * 32, "bb" * 32
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def walk(
    *findings: Finding,
    file: str = FILE,
    grade: Grade = Grade.A,
    state: ProofState = ProofState.PROVEN,
    time: ProvenTime | None = None,
    end: NodeKind = NodeKind.ANCHOR,
    source: str = "proof",
) -> Walk:
    nodes = [Node(NodeKind.FILE, "f"), *(Node(NodeKind.DIGEST, str(i)) for i in range(len(findings) - 1)), Node(end, "root")]
    steps: tuple[Step, ...] = tuple(step(nodes[i], nodes[i + 1], f) for i, f in enumerate(findings))
    return Walk(source, file, steps, grade, state, time)


GOOD = passed("A.B", "x")
BAD = failed("A.B", Reason.HASH_FAILURE, "x")
OPEN = indeterminate("A.B", Reason.ANCHOR_UNAVAILABLE, "x")


def overall(findings: list[Finding], walks: list[Walk], content: list[str] | None = None, *, accept_d: bool = False) -> Overall:
    return conclude(findings=findings, walks=walks, content=[FILE] if content is None else content, accept_d=accept_d)[0]


def test_an_unbroken_walk_to_a_pin() -> None:
    assert conclude(findings=[GOOD], walks=[walk(GOOD, GOOD)], content=[FILE]) == (Overall.CONSISTENT, Grade.A, None, ())


@pytest.mark.parametrize(
    "broken",
    [
        walk(GOOD, OPEN),
        walk(),
        walk(GOOD, end=NodeKind.BLOCK),
        walk(GOOD, grade=Grade.E),
        walk(GOOD, grade=Grade.D),
        walk(GOOD, state=ProofState.PROMISED),
        walk(GOOD, state=ProofState.PENDING),
        walk(GOOD, state=ProofState.ASSERTED),
        walk(GOOD, file=OTHER),
        walk(GOOD, file=""),
    ],
    ids=["open", "empty", "no-anchor", "grade-e", "grade-d", "promised", "pending", "asserted", "other-file", "no-file"],
)
def test_anything_less_is_indeterminate_with_a_reason(broken: Walk) -> None:
    result, _, _, reasons = conclude(findings=[GOOD], walks=[broken], content=[FILE])
    assert result is Overall.INDETERMINATE
    assert reasons


def test_grade_d_counts_only_where_the_policy_says_so() -> None:
    assert overall([GOOD], [walk(GOOD, grade=Grade.D)], accept_d=True) is Overall.CONSISTENT
    assert overall([GOOD], [walk(GOOD, grade=Grade.E)], accept_d=True) is Overall.INDETERMINATE


def test_nothing_handed_in_but_proofs() -> None:
    assert conclude(findings=[GOOD], walks=[walk(GOOD)], content=[])[0] is Overall.INDETERMINATE
    assert conclude(findings=[], walks=[], content=[FILE])[3] == (Reason.NO_POE,)


def test_a_refutation_outweighs_everything() -> None:
    assert overall([GOOD, BAD], [walk(GOOD)]) is Overall.INCONSISTENT
    refuting = failed("A.B", Reason.HASH_FAILURE, "x", bearing=Bearing.DECISIVE)
    assert overall([GOOD, refuting], [walk(GOOD)]) is Overall.INCONSISTENT


def test_advice_never_decides() -> None:
    for advice in (
        failed("A.B", Reason.HASH_FAILURE, "x", bearing=Bearing.ADVISORY),
        indeterminate("A.B", Reason.TRY_LATER, "x", bearing=Bearing.ADVISORY),
    ):
        assert overall([GOOD, advice], [walk(GOOD)]) is Overall.CONSISTENT
        assert overall([advice], []) is Overall.INDETERMINATE


def test_open_questions_matter_where_they_are_decisive_or_on_the_walk() -> None:
    decisive = indeterminate("A.B", Reason.INTERNAL_ERROR, "x", bearing=Bearing.DECISIVE)
    assert overall([GOOD, decisive], [walk(GOOD)]) is Overall.INDETERMINATE
    assert overall([GOOD, OPEN], [walk(GOOD)]) is Overall.CONSISTENT
    assert overall([GOOD, OPEN], [walk(GOOD, OPEN)]) is Overall.INDETERMINATE


def test_the_best_walk_speaks_for_a_file_and_the_weakest_file_for_the_exhibit() -> None:
    a = walk(GOOD, time=ProvenTime(T0, "TSA"))
    b = walk(GOOD, grade=Grade.B, time=ProvenTime(T0 - timedelta(days=9), "PROPOSER"))
    open_ = walk(GOOD, OPEN, grade=Grade.A)
    assert conclude(findings=[], walks=[open_, b, a], content=[FILE]) == (Overall.CONSISTENT, Grade.A, a.time, ())
    other = walk(GOOD, file=OTHER, grade=Grade.B, time=ProvenTime(T0 + timedelta(days=1), "PROPOSER"))
    result = conclude(findings=[], walks=[a, other], content=[FILE, OTHER])
    assert result == (Overall.CONSISTENT, Grade.B, other.time, ())
    assert conclude(findings=[], walks=[a], content=[FILE, OTHER])[0] is Overall.INDETERMINATE


def test_a_refuted_exhibit_proves_no_time() -> None:
    assert conclude(findings=[BAD], walks=[walk(GOOD, time=ProvenTime(T0, "TSA"))], content=[FILE])[2] is None


FINDINGS = st.lists(
    st.builds(
        lambda o, b: Finding("A.B", o, None if o is Outcome.PASSED else Reason.HASH_FAILURE, "x", bearing=b),
        st.sampled_from(Outcome),
        st.sampled_from(Bearing),
    ),
    max_size=5,
)
WALKS = st.lists(
    st.builds(
        lambda f, g, s, file, days: walk(*f, grade=g, state=s, file=file, time=ProvenTime(T0 + timedelta(days=days), "TSA")),
        st.lists(st.sampled_from([GOOD, GOOD, GOOD, OPEN]), min_size=1, max_size=3),
        st.sampled_from(Grade),
        st.sampled_from(ProofState),
        st.sampled_from([FILE, OTHER, ""]),
        st.integers(0, 3),
    ),
    max_size=5,
).map(lambda walks: [replace(w, source=f"proof {n}") for n, w in enumerate(walks)])
"""Each from a source of its own: walks of one source come in the order its format gives them, which is always the same."""


@given(FINDINGS, WALKS, st.lists(st.sampled_from([FILE, OTHER]), unique=True), st.booleans())
def test_laws_of_the_verdict(findings: list[Finding], walks: list[Walk], content: list[str], accept_d: bool) -> None:
    result = conclude(findings=findings, walks=walks, content=content, accept_d=accept_d)
    refuted = any(f.outcome is Outcome.FAILED and f.bearing is not Bearing.ADVISORY for f in findings)
    assert (result[0] is Overall.INCONSISTENT) == refuted
    if result[0] is Overall.CONSISTENT:
        assert content
        assert all(any(w.file == c and w.complete for w in walks) for c in content)
        assert result[1] is not Grade.E
        assert result[3] == ()
    else:
        assert result[3]
    backwards = conclude(findings=findings[::-1], walks=walks[::-1], content=content[::-1], accept_d=accept_d)
    assert backwards[:3] == result[:3]
    assert set(backwards[3]) == set(result[3])


def test_a_finding_has_a_reason_exactly_when_it_did_not_pass() -> None:
    with pytest.raises(ValueError, match="reason"):
        Finding("A.B", Outcome.PASSED, Reason.HASH_FAILURE, "x")
    with pytest.raises(ValueError, match="reason"):
        Finding("A.B", Outcome.FAILED, None, "x")


def test_instants_have_one_rendering() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert instant(datetime(2026, 11, 22, 20, 0, 0, 123999, tzinfo=shanghai)) == "2026-11-22T12:00:00.123Z"


# ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bare_file_and_an_empty_store() -> None:
    verdict = verify(Exhibit.of([Source.from_bytes("a.txt", b"text")]), TrustStore.empty(), AT)
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.grade is Grade.E
    assert verdict.reasons == (Reason.NO_POE,)
    assert not verdict.findings
    assert json.loads(verdict.to_json())["sources"][0]["format"] == "unknown"


def test_the_moment_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        verify(Exhibit.of([Source.from_bytes("a", b"")]), TrustStore.empty(), datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_fault_of_a_format_is_never_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from evidence.verification.certificates import pem
    from evidence.verification.timestamps import rfc3161

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    exhibit = Exhibit.of([Source.from_bytes("a.tsr", b"\x30\x05\x30\x03\x02\x01\x02"), Source.from_bytes("b", b"b")])
    assert verify(exhibit, TrustStore.empty(), AT).findings[0].check == "TST.FORMAT"
    monkeypatch.setattr(rfc3161, "examine", broken)
    verdict = verify(exhibit, TrustStore.empty(), AT)
    assert [(f.check, f.reason, f.actual) for f in verdict.findings] == [("ENGINE.RUN", Reason.INTERNAL_ERROR, "ZeroDivisionError")]
    assert verdict.overall is Overall.INDETERMINATE
    monkeypatch.undo()
    monkeypatch.setattr(pem, "sniff", broken)
    verdict = verify(exhibit, TrustStore.empty(), AT)
    assert verdict.overall is Overall.INDETERMINATE
    assert Reason.INTERNAL_ERROR in verdict.reasons


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    exhibit = Exhibit.of([Source.from_bytes(f"{n}", bytes(n)) for n in range(20)])
    verify(exhibit, TrustStore.empty(), AT)
    exhibit.close()
    assert len(os.listdir("/proc/self/fd")) == before


# ── the engine's own known answers ────────────────────────────────────────────────────────────────────────────────────


def _broken() -> bool:
    raise RuntimeError("for the test")


@pytest.fixture
def broken_signatures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    selftest._family.cache_clear()
    monkeypatch.setitem(signatures.CASES, "broken", _broken)
    yield
    selftest._family.cache_clear()


@pytest.mark.usefixtures("broken_signatures")
def test_a_format_whose_known_answers_fail_is_not_examined() -> None:
    """A proof that would carry the exhibit is not looked at; a file that rests on other answers still is."""
    chain = fisco3_exhibits.built()
    verdict = fisco3_exhibits.examine(fisco3_exhibits.files(chain), fisco3_exhibits.trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.reasons[0] is Reason.SELFTEST_FAILED
    assert {f.check for f in verdict.findings} == {"ENGINE.SELFTEST"}
    assert verdict.selftest.failed == ("signatures: broken (RuntimeError)",)
    assert verdict.as_dict()["selftest"] == {"vectors": verdict.selftest.vectors, "failed": list(verdict.selftest.failed)}

    exhibit = Exhibit.of([Source.from_bytes("a.warc", b"WARC/1.1\r\nWARC-Type: warcinfo\r\n\r\n")])
    apart = verify(exhibit, TrustStore.empty(), AT)
    assert apart.selftest.failed == ()
    assert not any(f.check == "ENGINE.SELFTEST" for f in apart.findings)


@pytest.mark.usefixtures("broken_signatures")
def test_a_proof_package_of_such_a_family_is_not_examined_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "FORMATS", ("fisco3",))
    chain = fisco3_exhibits.built()
    package = {"page.html": fisco3_exhibits.PAGE, "proof.mjproof.json": json.dumps(test_proof_package.package(chain)).encode()}
    verdict = fisco3_exhibits.examine(package, fisco3_exhibits.trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert fisco3_exhibits.answer(verdict, "INCL.LEDGER_KIND") == ("INDETERMINATE", Reason.SELFTEST_FAILED)


def test_known_answers_name_formats_that_exist() -> None:
    known = {f.name for f in FORMATS}
    for family in selftest.FAMILIES:
        named = selftest.formats_of(family)
        assert named is None or named <= known, family
    chains = {f.name for f in FORMATS if f.module.startswith("chains.")} - {"proof-package", "court-node"}
    covered = set().union(*(selftest.formats_of(f) or () for f in selftest.FAMILIES if f in chains))
    assert chains <= covered, "each chain has known answers of its own"
