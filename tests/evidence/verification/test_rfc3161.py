"""Time-stamp tokens: honest ones of two makers, and every way of cheating with one that we know of."""

import hashlib
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.verification.certificates import pem
from evidence.verification.exhibit import Exhibit, Source
from evidence.verification.reasons import Reason
from evidence.verification.registry import FORMATS, UNKNOWN, Context, Format
from evidence.verification.timestamps import rfc3161
from evidence.verification.trust import TrustStore
from evidence.verification.verdict import (
    Bearing,
    Examination,
    Grade,
    NodeKind,
    Outcome,
    Overall,
    conclude,
)

from .authority import (
    RSA_ENCRYPTION,
    SERVER_AUTH,
    TIME_STAMPING,
    WHEN,
    Holder,
    TokenPlan,
    issue,
    issue_sm2,
    response,
    rsa_key,
    sequence,
    token,
    tst_info,
)

MESSAGE = b"the page as captured\n"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = issue("TSA root", ca=True)
MIDDLE = issue("TSA intermediate", by=ROOT, ca=True)
TSA = issue("TSA 1", by=MIDDLE, eku=[TIME_STAMPING])
PLAN = TokenPlan(MESSAGE, TSA, embed=(TSA.der, MIDDLE.der))
NAMES = {f.name: f for f in FORMATS}


def trust(*roots: bytes, policies: Sequence[str] = ()) -> TrustStore:
    return replace(TrustStore.empty(), digest="test", tsa_roots=roots, tsa_policies=frozenset(policies))


def check(
    data: bytes, *, roots: Sequence[bytes] = (ROOT.der,), message: bytes = MESSAGE, certificates: Sequence[bytes] = (), at: datetime = AT
) -> rfc3161.Verification:
    return rfc3161.verify_token(
        data, message=message, subject="t", trust=trust(*roots), at=at, certificates=certificates
    )


def problems(found: rfc3161.Verification) -> dict[str, tuple[Outcome, Reason | None]]:
    return {
        f.check: (f.outcome, f.reason)
        for f in found.findings
        if f.outcome is not Outcome.PASSED and f.bearing is not Bearing.ADVISORY
    }


def failed(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.FAILED, reason


def open_(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.INDETERMINATE, reason


def examine(files: Mapping[str, bytes], *, roots: Sequence[bytes] = (ROOT.der,), at: datetime = AT) -> tuple[Examination, Overall, Grade]:
    """The registry's door with these two formats, and what the verdict would be."""
    exhibit = Exhibit.of([Source.from_bytes(name, data) for name, data in files.items()])

    def recognised(source: Source) -> Format:
        if rfc3161.sniff(source) > pem.sniff(source):
            return NAMES["rfc3161"]
        return NAMES["x509"] if pem.sniff(source) else UNKNOWN

    formats = MappingProxyType({s: recognised(s) for s in exhibit.sources})
    context = Context(exhibit, trust(*roots), at, formats)
    found = rfc3161.examine(context.of("rfc3161"), context)
    beside = pem.examine(context.of("x509"), context)
    overall, grade, _, _ = conclude(
        findings=(*found.findings, *beside.findings), walks=found.walks, content=[s.sha256 for s in context.content]
    )
    return found, overall, grade


# ── honest tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [token(PLAN), response(PLAN), response(PLAN, status=1)], ids=["token", "response", "with-mods"])
def test_an_honest_token(data: bytes) -> None:
    found = check(data)
    assert problems(found) == {}
    assert found.passed
    assert found.signer == "CN=TSA 1"
    assert found.anchor == "CN=TSA root"
    assert found.time is not None
    assert (found.time.not_after, found.time.basis) == (WHEN, "TSA")


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha512"},
        {"digest": "sm3"},
        {"ess": "v1"},
        {"ess": "both"},
        {"accuracy": None},
        {"sort_attributes": False},
        {"frame": "1.2.156.10197.6.1.4.2.2"},
        {"embed": (MIDDLE.der, TSA.der)},
        {"when": WHEN + timedelta(microseconds=123000)},
        {"digest_algorithm": "2.16.840.1.101.3.4.2.3"},
    ],
    ids=str,
)
def test_forms_that_are_all_right(change: dict[str, object]) -> None:
    assert check(token(replace(PLAN, **change))).passed  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", [None, RSA_ENCRYPTION], ids=["sha256WithRSA", "rsaEncryption"])
def test_rsa(algorithm: bytes | None) -> None:
    tsa = issue("TSA rsa", by=MIDDLE, key=rsa_key(), eku=[TIME_STAMPING])
    plan = TokenPlan(MESSAGE, tsa, embed=(tsa.der, MIDDLE.der), signature_algorithm=algorithm)
    assert check(token(plan)).passed


def test_sm2_and_sm3_all_the_way() -> None:
    root = issue_sm2("国密根", secret=11, ca=True)
    tsa = issue_sm2("国密时间戳", secret=12, by=root, tsa=True)
    for algorithm in ("300a06082a811ccf55018375", "300b06092a811ccf550182 2d01"):
        plan = TokenPlan(
            MESSAGE,
            tsa,
            embed=(tsa.der,),
            digest="sm3",
            digest_algorithm="1.2.156.10197.1.401",
            signature_algorithm=bytes.fromhex(algorithm),
            frame="1.2.156.10197.6.1.4.2.2",
        )
        found = check(token(plan), roots=(root.der,))
        assert found.passed, problems(found)
    impostor = issue_sm2("国密根", secret=13, ca=True)
    assert problems(check(token(plan), roots=(impostor.der,))) == {
        "TST.CHAIN": open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)
    }


def test_indefinite_lengths() -> None:
    """BER as some authorities send it: indefinite frames and a segmented content."""
    data = indefinite(token(PLAN))
    assert data != token(PLAN)
    assert check(data).passed


def indefinite(data: bytes) -> bytes:
    """The same value with indefinite lengths down to the content, the signature part left as it is."""
    from asn1crypto import cms, core

    info = cms.ContentInfo.load(data)
    signed = info["content"]
    content = bytes(signed["encap_content_info"]["content"])
    octets = b"\x24\x80" + core.OctetString(content[:40]).dump() + core.OctetString(content[40:]).dump() + b"\x00\x00"
    encap = (
        b"\x30\x80" + core.ObjectIdentifier("1.2.840.113549.1.9.16.1.4").dump() + b"\xa0\x80" + octets + b"\x00" * 4
    )
    members = (
        signed["version"].dump(),
        signed["digest_algorithms"].dump(),
        encap,
        signed["certificates"].dump(),
        signed["signer_infos"].dump(),
    )
    body = b"\x30\x80" + b"".join(members) + b"\x00\x00"
    return b"\x30\x80" + core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + b"\xa0\x80" + body + b"\x00" * 4


# ── the ladder, rung by rung ──────────────────────────────────────────────────────────────────────────────────────────


def test_other_bytes_than_stamped() -> None:
    assert problems(check(token(PLAN), message=MESSAGE + b" ")) == {"TST.IMPRINT": failed(Reason.HASH_FAILURE)}


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_weak_imprints_never_pass(digest: str) -> None:
    data = token(replace(PLAN, digest=digest))
    assert problems(check(data)) == {"TST.IMPRINT": open_(Reason.CRYPTO_CONSTRAINTS_FAILURE)}
    # A difference is a difference under any algorithm.
    assert problems(check(data, message=b"other")) == {"TST.IMPRINT": failed(Reason.HASH_FAILURE)}


def test_unknown_imprint_algorithm() -> None:
    data = token(replace(PLAN, imprint_oid="1.2.3.4.5.6", imprint=bytes(32)))
    assert problems(check(data)) == {"TST.IMPRINT": open_(Reason.DIGEST_ALGORITHM_UNKNOWN)}


def test_imprint_of_the_wrong_length() -> None:
    data = token(replace(PLAN, imprint=hashlib.sha256(MESSAGE).digest()[:20]))
    assert problems(check(data)) == {"TST.FORMAT": failed(Reason.FORMAT_FAILURE)}


def test_status_not_granted() -> None:
    assert problems(check(response(PLAN, status=2))) == {"TST.FORMAT": open_(Reason.NO_POE)}
    bare = sequence(sequence(b"\x02\x01\x02"))
    found = check(bare)
    assert problems(found) == {"TST.FORMAT": open_(Reason.NO_POE)}
    assert not found.passed


def test_certificates_beside_the_token() -> None:
    data = token(replace(PLAN, embed=()))
    missing = open_(Reason.NO_SIGNING_CERTIFICATE_FOUND)
    assert problems(check(data)) == dict.fromkeys(("TST.SIGNER", "TST.SIGNATURE", "TST.PURPOSE", "TST.CHAIN"), missing)
    assert check(data, certificates=(TSA.der, MIDDLE.der)).passed
    assert problems(check(data, certificates=(TSA.der,))) == {"TST.CHAIN": open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)}


def test_the_signer_is_bound_by_digest_as_well_as_by_name() -> None:
    # Another certificate over the same key, same issuer: not the one that was bound.
    twin = issue("TSA 1", by=MIDDLE, key=TSA.key, eku=[TIME_STAMPING])
    for plan in (
        replace(PLAN, sid_der=twin.der, embed=(twin.der, TSA.der, MIDDLE.der)),
        replace(PLAN, ess_der=twin.der, embed=(twin.der, TSA.der, MIDDLE.der)),
        replace(PLAN, ess="none"),
    ):
        assert problems(check(token(plan)))["TST.SIGNER"] == open_(Reason.NO_SIGNING_CERTIFICATE_FOUND)


def test_injected_certificates_do_not_name_the_signer() -> None:
    spoofed = issue("Spoofed TSA", ca=True)
    leaf = issue("Spoofed TSA", by=spoofed, eku=[TIME_STAMPING])
    for embed in ((spoofed.der, leaf.der, TSA.der, MIDDLE.der), (TSA.der, MIDDLE.der, leaf.der, spoofed.der)):
        found = check(token(replace(PLAN, embed=embed)))
        assert found.passed
        assert found.signer == "CN=TSA 1"


def test_an_authority_that_brings_its_own_root() -> None:
    evil_root = issue("TSA root", ca=True)
    evil = issue("TSA 1", by=evil_root, eku=[TIME_STAMPING])
    data = token(TokenPlan(MESSAGE, evil, embed=(evil.der, evil_root.der)))
    assert problems(check(data)) == {"TST.CHAIN": open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)}
    assert problems(check(data, certificates=(evil_root.der,))) == {
        "TST.CHAIN": open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)
    }
    assert problems(check(data, roots=())) == {"TST.CHAIN": open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)}
    assert check(data, roots=(evil_root.der,)).passed


def test_a_token_by_any_certificate_of_the_same_root() -> None:
    """A web server, a signer or an authority below a pinned root stamps no time."""
    for signer in (
        issue("web", by=MIDDLE, eku=[SERVER_AUTH]),
        issue("signer", by=MIDDLE),
        issue("both", by=MIDDLE, eku=[TIME_STAMPING, SERVER_AUTH]),
        issue("authority", by=ROOT, ca=True, eku=[TIME_STAMPING], key_usage="sign"),
    ):
        found = check(token(TokenPlan(MESSAGE, signer, embed=(signer.der, MIDDLE.der))))
        assert problems(found) == dict.fromkeys(
            ("TST.PURPOSE", "TST.CHAIN"), open_(Reason.CHAIN_CONSTRAINTS_FAILURE)
        )


def test_signature_by_another_key() -> None:
    thief = Holder(issue("thief").key, TSA.certificate)
    found = check(token(TokenPlan(MESSAGE, thief, embed=(TSA.der, MIDDLE.der))))
    assert problems(found) == {"TST.SIGNATURE": failed(Reason.SIG_CRYPTO_FAILURE)}


@pytest.mark.parametrize(
    "change",
    [{"message_digest": bytes(32)}, {"signed_content_type": "1.2.840.113549.1.7.1"}],
    ids=["digest", "content-type"],
)
def test_signed_attributes_that_speak_of_something_else(change: dict[str, object]) -> None:
    found = check(token(replace(PLAN, **change)))  # type: ignore[arg-type]
    assert problems(found) == {"TST.SIGNATURE": failed(Reason.SIG_CRYPTO_FAILURE)}


def test_weak_digest_under_the_signature() -> None:
    found = check(token(replace(PLAN, digest_algorithm="1.3.14.3.2.26")))
    assert problems(found) == {"TST.SIGNATURE": open_(Reason.CRYPTO_CONSTRAINTS_FAILURE)}


@pytest.mark.parametrize(
    "change",
    [{"signers": 0}, {"signers": 2}, {"content_type": "1.2.840.113549.1.7.1"}, {"repeat_attribute": True}, {"frame": "1.2.840.113549.1.7.3"}],
    ids=str,
)
def test_structures_that_are_refused(change: dict[str, object]) -> None:
    found = check(token(replace(PLAN, **change)))  # type: ignore[arg-type]
    assert problems(found) == {"TST.FORMAT": failed(Reason.FORMAT_FAILURE)}
    assert found.token is None


def test_chain_is_judged_at_the_time_stamped() -> None:
    begin, end = WHEN - timedelta(days=10), WHEN + timedelta(days=10)
    tsa = issue("short", by=MIDDLE, eku=[TIME_STAMPING], begin=begin, end=end)
    plan = TokenPlan(MESSAGE, tsa, embed=(tsa.der, MIDDLE.der))
    assert check(token(plan), at=AT).passed  # expired at the moment of verification, good when it stamped
    late = replace(plan, when=end + timedelta(days=1))
    assert problems(check(token(late))) == {"TST.CHAIN": open_(Reason.OUT_OF_BOUNDS_NO_POE)}
    early = replace(plan, when=begin - timedelta(days=1))
    assert problems(check(token(early))) == {"TST.CHAIN": open_(Reason.NOT_YET_VALID)}


def test_a_time_that_lies_ahead() -> None:
    assert problems(check(token(PLAN), at=WHEN - timedelta(seconds=1))) == {
        "TST.TIME": open_(Reason.TIMESTAMP_ORDER_FAILURE)
    }
    assert check(token(PLAN), at=WHEN).passed


def test_policies_where_the_court_names_any() -> None:
    for accepted, passes in ((["1.2.3.4.5"], True), (["1.2.3"], False)):
        found = rfc3161.verify_token(
            token(PLAN), message=MESSAGE, subject="t", trust=trust(ROOT.der, policies=accepted), at=AT
        )
        assert found.passed is passes
        if not passes:
            assert problems(found) == {"TST.PURPOSE": open_(Reason.CHAIN_CONSTRAINTS_FAILURE)}


def test_revocation_is_said_to_be_unchecked_and_stands_in_nobodys_way() -> None:
    (finding,) = (f for f in check(token(PLAN)).findings if f.check == "TST.REVOCATION")
    assert (finding.outcome, finding.reason, finding.bearing) == (
        Outcome.INDETERMINATE,
        Reason.TRY_LATER,
        Bearing.ADVISORY,
    )


@pytest.mark.parametrize("text", [b"20260601120000", b"20260601120000+0000", b"202606011200Z", b"20261301120000Z", b"20260601120060Z", b"20260601120000.Z", b"20260601120000,5Z", "２０260601120000Z".encode()])
def test_times_in_another_form(text: bytes) -> None:
    """genTime must end in Z and have seconds; a token with any other form is signed and still refused."""
    good = b"\x18\x0f20260601120000Z"
    info = tst_info(PLAN)
    assert good in info
    body = info.replace(good, b"\x18" + bytes([len(text)]) + text)
    changed = sequence(strip(body, len(text) - 15))
    assert problems(check(resigned(changed))) == {"TST.FORMAT": failed(Reason.FORMAT_FAILURE)}


def strip(data: bytes, grown: int) -> bytes:
    """Content octets of a SEQUENCE whose length octets no longer fit by `grown`."""
    header = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)
    return data[header:]


def resigned(info: bytes) -> bytes:
    """A token over TSTInfo bytes of any form, signed by the honest authority."""
    import tests.evidence.verification.authority as authority

    original = authority.tst_info
    authority.tst_info = lambda plan: info
    try:
        return token(PLAN)
    finally:
        authority.tst_info = original


# ── mutation: nothing that is signed can change ───────────────────────────────────────────────────────────────────────


def test_no_changed_byte_of_the_signed_part_passes() -> None:
    """Each byte of TSTInfo and of the signed attributes, and the signature: never a pass, and never an exception."""
    from asn1crypto import cms

    data = token(PLAN)
    signed = cms.ContentInfo.load(data)["content"]
    signer = signed["signer_infos"][0]
    parts = (
        bytes(signed["encap_content_info"]["content"]),
        signer["signed_attrs"].contents,
        signer["signature"].native,
    )
    rng = random.Random(3)
    tried = 0
    for part in parts:
        assert data.count(part) == 1
        start = data.index(part)
        for place in range(start, start + len(part)):
            changed = bytearray(data)
            changed[place] ^= 1 << rng.randrange(8)
            assert not check(bytes(changed)).passed, place - start
            tried += 1
    assert tried > 250


def test_no_random_damage_passes_unless_it_is_outside_what_counts() -> None:
    """Any single-bit change of the whole token, sampled: passes only where the verdict names the same signer and time."""
    data = response(PLAN)
    honest = check(data)
    rng = random.Random(4)
    for _ in range(600):
        place = rng.randrange(len(data))
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        found = check(bytes(changed))
        if found.passed:
            assert (found.signer, found.time, found.anchor) == (honest.signer, honest.time, honest.anchor)


def test_truncation_and_noise_never_raise() -> None:
    data = response(PLAN)
    for length in range(0, len(data), 7):
        assert not check(data[:length]).passed
    rng = random.Random(5)
    for size in (0, 1, 2, 10, 1000):
        assert not check(rng.randbytes(size)).passed
        assert not check(b"\x30" + rng.randbytes(size)).passed
    assert not check(data + b"\x00").passed
    assert not check(b"\x30\x80" * 5000).passed
    assert not check(b"\x24\x80" * 50000).passed


# ── the registry's door ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_and_its_token() -> None:
    found, overall, grade = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)})
    assert (overall, grade) == (Overall.CONSISTENT, Grade.A)
    (walk,) = found.walks
    assert walk.complete
    assert walk.file == hashlib.sha256(MESSAGE).hexdigest()
    assert walk.time is not None
    assert walk.time.not_after == WHEN
    assert [s.check for s in walk.steps] == [
        "TST.IMPRINT", "TST.FORMAT", "TST.TIME", "TST.SIGNER", "TST.SIGNATURE", "TST.PURPOSE", "TST.CHAIN",
    ]  # fmt: skip
    assert walk.steps[0].start.kind is NodeKind.FILE
    assert walk.steps[-1].end.kind is NodeKind.ANCHOR
    assert walk.steps[-1].end.label == "CN=TSA root"
    for before, after in zip(walk.steps, walk.steps[1:], strict=False):
        assert before.end == after.start


def test_several_files_each_with_a_token() -> None:
    files = {f"{n}.bin": b"file %d" % n for n in range(3)}
    tokens = {f"{n}.tsr": token(replace(PLAN, message=b"file %d" % n)) for n in range(3)}
    _, overall, _ = examine(files | tokens)
    assert overall is Overall.CONSISTENT
    del tokens["1.tsr"]
    _, overall, _ = examine(files | tokens)
    assert overall is Overall.INDETERMINATE


def test_one_file_and_a_token_for_another() -> None:
    found, overall, _ = examine({"page.html": MESSAGE + b"x", "page.tsr": response(PLAN)})
    assert overall is Overall.INCONSISTENT
    assert [f.reason for f in found.findings if f.check == "TST.IMPRINT"] == [Reason.HASH_FAILURE]


def test_several_files_and_a_token_for_none() -> None:
    found, overall, _ = examine({"a": b"a", "b": b"b", "page.tsr": response(PLAN)})
    assert overall is Overall.INDETERMINATE
    (imprint,) = (f for f in found.findings if f.check == "TST.IMPRINT")
    assert (imprint.outcome, imprint.reason) == (Outcome.INDETERMINATE, Reason.SIGNED_DATA_NOT_FOUND)
    assert [w.file for w in found.walks] == [""]


def test_a_token_alone() -> None:
    found, overall, _ = examine({"page.tsr": response(PLAN)})
    assert overall is Overall.INDETERMINATE
    assert [f.reason for f in found.findings if f.check == "TST.IMPRINT"] == [Reason.SIGNED_DATA_NOT_FOUND]


def test_a_token_for_another_file_of_the_exhibit_accuses_nobody() -> None:
    """A token may stamp the certificate or another token; the content file is then simply without one."""
    first = response(PLAN)
    second = token(replace(PLAN, message=first))
    found, overall, _ = examine({"page.html": MESSAGE, "1.tsr": first, "2.tsr": second})
    assert overall is Overall.CONSISTENT
    assert not [f for f in found.findings if f.outcome is Outcome.FAILED]


def test_certificates_as_files_beside_the_token() -> None:
    data = token(replace(PLAN, embed=()))
    _, overall, _ = examine({"page.html": MESSAGE, "page.tsr": data})
    assert overall is Overall.INDETERMINATE
    for chain in ({"chain.pem": TSA.pem + MIDDLE.pem}, {"tsa.cer": TSA.der, "ca.cer": MIDDLE.der}):
        _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": data} | chain)
        assert (overall, grade) == (Overall.CONSISTENT, Grade.A)
    # A root among the files is data.
    _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": data, "all.pem": TSA.pem + MIDDLE.pem + ROOT.pem}, roots=())
    assert (overall, grade) == (Overall.INDETERMINATE, Grade.E)


def test_untrusted_root_is_grade_e() -> None:
    _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)}, roots=())
    assert (overall, grade) == (Overall.INDETERMINATE, Grade.E)


def test_recognition() -> None:
    def score(data: bytes) -> int:
        return rfc3161.sniff(Source.from_bytes("x", data))

    assert score(token(PLAN)) > 50
    assert score(response(PLAN)) > 50
    assert score(indefinite(token(PLAN))) > 50
    assert score(token(replace(PLAN, frame="1.2.156.10197.6.1.4.2.2"))) > 50
    assert score(sequence(sequence(b"\x02\x01\x02"))) > 50
    for other in (b"", b"0", MESSAGE, TSA.der, TSA.pem, b"%PDF-1.7", b"PK\x03\x04", b"{}", bytes(2000), b"\x30" * 2000):
        assert score(other) == 0
    # Truncated but recognisable tokens are examined, and refused there.
    assert score(response(PLAN)[:400]) > 50
    found, overall, _ = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)[:400]})
    assert problems(rfc3161.Verification(found.findings)) == {"TST.FORMAT": failed(Reason.FORMAT_FAILURE)}
    assert overall is Overall.INCONSISTENT


def test_oversized_token() -> None:
    data = response(PLAN) + bytes(rfc3161.TOKEN_BYTES_MAX)
    found, overall, _ = examine({"page.html": MESSAGE, "page.tsr": data})
    assert [f.reason for f in found.findings] == [Reason.RESOURCE_LIMIT]
    assert overall is Overall.INDETERMINATE


# ── certificate files ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "count", "clean"),
    [
        (TSA.der, 1, True),
        (TSA.pem, 1, True),
        (b"subject=TSA\n" + TSA.pem.replace(b"\n", b"\r\n") + b"\nnotes\n" + MIDDLE.pem, 2, True),
        (TSA.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1, False),
        (TSA.pem + b"-----BEGIN CERTIFICATE-----\n", 1, False),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 0, False),
        (TSA.der + b"\x00", 0, False),
    ],
)
def test_certificate_files(data: bytes, count: int, clean: bool) -> None:
    source = Source.from_bytes("c.pem", data)
    assert pem.sniff(source) > 0
    assert len(pem.certificates([source])) == count
    exhibit = Exhibit.of([source])
    context = Context(exhibit, trust(), AT, MappingProxyType({source: NAMES["x509"]}))
    findings = pem.examine((source,), context).findings
    assert [f.reason for f in findings] == ([] if clean else [Reason.FORMAT_FAILURE])
    assert all(f.bearing is Bearing.ADVISORY for f in findings)


def test_a_flood_of_certificates_is_bounded() -> None:
    source = Source.from_bytes("flood.pem", TSA.pem * (pem.CERTIFICATES_MAX + 1))
    assert len(pem.certificates([source])) == pem.CERTIFICATES_MAX
    context = Context(Exhibit.of([source]), trust(), AT, MappingProxyType({source: NAMES["x509"]}))
    assert [f.reason for f in pem.examine((source,), context).findings] == [Reason.RESOURCE_LIMIT]


def test_files_that_merely_quote_a_certificate() -> None:
    for data in (b'{"cert": "-----BEGIN CERTIFICATE-----"}', b"%PDF-1.7 -----BEGIN CERTIFICATE-----", b"<html>-----BEGIN CERTIFICATE-----", b"", b"\x30\x82", bytes(100)):
        assert pem.sniff(Source.from_bytes("x", data)) == 0


# ── openssl as an independent authority ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_tokens_made_by_openssl(tmp_path: Path, digest: str) -> None:
    key = TSA.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in (("key.pem", key), ("tsa.pem", TSA.pem), ("chain.pem", MIDDLE.pem), ("message", MESSAGE), ("serial", b"01\n")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\ncerts=chain.pem\nsigner_key=key.pem\n"
        "signer_digest=sha256\ndefault_policy=1.2.3.4.5\ndigests=sha256,sha384,sha512\naccuracy=secs:1,millisecs:500\n"
        "ess_cert_id_alg=sha256\n"
    )

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=tmp_path)

    openssl("ts", "-query", "-data", "message", f"-{digest}", "-cert", "-out", "q")
    openssl("ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q", "-out", "r.tsr")
    openssl("ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q", "-token_out", "-out", "r.tok")
    # openssl stamps with its own clock.
    at = datetime(2039, 1, 1, tzinfo=UTC)
    for made in ("r.tsr", "r.tok"):
        data = (tmp_path / made).read_bytes()
        found = check(data, at=at)
        assert found.passed, problems(found)
        assert found.token is not None
        assert found.token.accuracy == timedelta(seconds=1.5)
        assert problems(check(data, at=at, message=b"other")) == {"TST.IMPRINT": failed(Reason.HASH_FAILURE)}


@pytest.mark.needs("openssl")
def test_openssl_agrees_on_honest_and_on_evil(tmp_path: Path) -> None:
    """`openssl ts -verify` with the same root says the same of both."""
    evil_root = issue("TSA root", ca=True)
    evil = issue("TSA 1", by=evil_root, eku=[TIME_STAMPING])
    cases = {
        "honest": (response(PLAN), True),
        "evil": (response(TokenPlan(MESSAGE, evil, embed=(evil.der, evil_root.der))), False),
        "other bytes": (response(replace(PLAN, message=b"other")), False),
    }
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    (tmp_path / "message").write_bytes(MESSAGE)
    for data, good in cases.values():
        (tmp_path / "r.tsr").write_bytes(data)
        run = subprocess.run(
            ["openssl", "ts", "-verify", "-in", "r.tsr", "-data", "message", "-CAfile", "root.pem"],
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )
        assert (run.returncode == 0) is good
        assert check(data).passed is good
