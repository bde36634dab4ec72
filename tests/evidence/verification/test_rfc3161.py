"""Time-stamp tokens: honest ones, and every way of cheating with one that we know of."""

import hashlib
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.timestamps import rfc3161
from evidence.verification.verdict import Bearing, Outcome

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
from .time_stamps import (
    AT,
    MESSAGE,
    MIDDLE,
    PLAN,
    ROOT,
    TSA,
    check,
    failed,
    indefinite,
    open_,
    problems,
    trust,
)

# ── honest tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [token(PLAN), response(PLAN), response(PLAN, status=1)], ids=["token", "response", "with-mods"])
def test_an_honest_token(data: bytes) -> None:
    found = check(data)
    assert problems(found) == {}
    assert found.passed
    assert found.signer == "CN=TSA 1"
    assert found.anchor == "CN=TSA root"
    assert found.time is not None
    # genTime ± one second: what is vouched for is the end of that interval
    assert (found.time.not_after, found.time.basis) == (WHEN + timedelta(seconds=1), "TSA")


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
    ids=lambda change: next(iter(change)),
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
