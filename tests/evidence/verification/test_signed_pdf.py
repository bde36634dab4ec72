"""Signed PDF files: what an honest signature gives, and what each missing piece of trust, time or form takes away."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from evidence.verification import TrustStore, Verdict
from evidence.verification.keys import revocation
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Grade, Outcome, Overall, ProofState

from .authority import WHEN, Holder, TokenPlan, issue, rsa_key, token
from .pdf_exhibits import (
    AT,
    LISTS,
    MIDDLE,
    PLAIN,
    ROOT,
    SEAL,
    SIGNED,
    SM2_ROOT,
    SM2_SEAL,
    STRANGER,
    STRANGER_ROOT,
    TSA,
    Plan,
    crl,
    document,
    sign,
    text,
    time_stamped,
    trust,
    verdict,
)

DEED = document(text("Notarial deed No. 1", "the page was seen"), text("second page"))


def found(result: Verdict, check: str) -> list[tuple[Outcome, Reason | None]]:
    return [(f.outcome, f.reason) for f in result.findings if f.check == check]


def one(result: Verdict, check: str) -> tuple[Outcome, Reason | None]:
    (only,) = found(result, check)
    return only


PASSED = (Outcome.PASSED, None)


def open_(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.INDETERMINATE, reason


def failed(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.FAILED, reason


def test_a_sealed_and_stamped_deed_leads_to_what_the_court_pinned() -> None:
    result = verdict({"deed.pdf": sign(DEED).data})
    assert (result.overall, result.grade) == (Overall.CONSISTENT, Grade.A)
    assert [s.format for s in result.sources] == ["signed-pdf"]
    assert result.time is not None
    assert (result.time.basis, result.time.not_after) == ("TSA", SIGNED + timedelta(seconds=1))
    assert all(f.outcome is Outcome.PASSED for f in result.findings)
    assert {f.check for f in result.findings} == {
        "SIG.ENUMERATED", "SIG.BYTERANGE", "SIG.INTACT", "SIG.ALG_STRENGTH", "SIG.CONSTRAINTS", "SIG.CHAIN", "SIG.REVOCATION",
        "SIG.IN_VALIDITY", "SIG.IDENTITY", "TIME.TSA", "SIG.MODIFIED", "SIG.DOCMDP", "SIG.VISUAL",
    }  # fmt: skip
    assert "NOT_PROVEN.SEAL" in result.not_proven


def test_without_a_proven_time_the_walk_ends_there() -> None:
    result = verdict({"deed.pdf": sign(DEED, Plan(stamped=None)).data})
    assert (result.overall, result.reasons) == (Overall.INDETERMINATE, (Reason.NO_POE,))
    assert result.grade is Grade.D
    assert {w.state for w in result.walks} == {ProofState.ASSERTED}
    assert one(result, "SIG.INTACT") == PASSED


def test_a_time_stamp_over_the_file_dates_the_signature_before_it() -> None:
    result = verdict({"deed.pdf": time_stamped(sign(DEED, Plan(stamped=None))).data})
    assert (result.overall, result.grade) == (Overall.CONSISTENT, Grade.A)
    assert one(result, "SIG.LONG_TERM") == PASSED


def test_a_time_stamp_alone() -> None:
    """No seal, but an authority's word that these bytes were there."""
    result = verdict({"deed.pdf": time_stamped(DEED).data})
    assert (result.overall, result.grade) == (Overall.CONSISTENT, Grade.A)
    assert verdict({"deed.pdf": time_stamped(DEED).data}, trust(tsa=())).overall is Overall.INDETERMINATE


def test_a_time_stamp_over_the_file_dates_nothing_after_it() -> None:
    stamped = time_stamped(DEED)
    result = verdict({"deed.pdf": sign(stamped, Plan(stamped=None)).data})
    assert one(result, "TIME.TSA") == open_(Reason.NO_POE)


@pytest.mark.parametrize("subfilter", [b"ETSI.CAdES.detached", b"adbe.pkcs7.detached"])
@pytest.mark.parametrize("frame", ["1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"])
def test_sm2_with_sm3(subfilter: bytes, frame: str) -> None:
    plan = Plan(signer=SM2_SEAL, embed=(SM2_SEAL.der,), subfilter=subfilter, frame=frame)
    data = sign(DEED, plan).data
    assert verdict({"deed.pdf": data}, trust(SM2_SEAL.der)).overall is Overall.CONSISTENT
    # Under a root, somebody has to say that the seal was not revoked.
    result = verdict({"deed.pdf": data}, trust(SM2_ROOT.der))
    assert (result.overall, result.reasons) == (Overall.INDETERMINATE, (Reason.TRY_LATER,))


def test_rsa_and_plain_pkcs7_without_a_bound_certificate() -> None:
    seal = issue("RSA seal", by=MIDDLE, key=rsa_key())
    plan = Plan(signer=seal, embed=(seal.der, MIDDLE.der), subfilter=b"adbe.pkcs7.detached", ess=False)
    assert verdict({"deed.pdf": sign(DEED, plan).data}).overall is Overall.CONSISTENT


def test_pades_binds_its_certificate() -> None:
    result = verdict({"deed.pdf": sign(DEED, Plan(ess=False)).data})
    assert one(result, "SIG.CONSTRAINTS") == open_(Reason.SIG_CONSTRAINTS_FAILURE)
    assert one(result, "SIG.INTACT") == open_(Reason.NO_SIGNING_CERTIFICATE_FOUND)
    assert result.overall is Overall.INDETERMINATE


def test_certificates_may_come_beside_the_file() -> None:
    data = sign(DEED, Plan(embed=(SEAL.der,))).data
    assert one(verdict({"deed.pdf": data}), "SIG.CHAIN") == open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict({"deed.pdf": data, "chain.pem": MIDDLE.pem}).overall is Overall.CONSISTENT
    bare = sign(DEED, Plan(embed=())).data
    assert one(verdict({"deed.pdf": bare}), "SIG.CHAIN") == open_(Reason.NO_SIGNING_CERTIFICATE_FOUND)
    assert verdict({"deed.pdf": bare, "chain.pem": MIDDLE.pem + SEAL.pem}).overall is Overall.CONSISTENT


def test_an_own_root_in_the_file_is_no_trust() -> None:
    plan = Plan(signer=STRANGER, embed=(STRANGER.der, STRANGER_ROOT.der))
    result = verdict({"deed.pdf": sign(DEED, plan).data, "root.pem": STRANGER_ROOT.pem})
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.E)
    assert one(result, "SIG.INTACT") == PASSED
    assert one(result, "SIG.CHAIN") == open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_an_own_time_stamping_authority_is_no_clock() -> None:
    root = issue("TSA root", ca=True)
    tsa = issue("TSA", by=root, eku=[ExtendedKeyUsageOID.TIME_STAMPING])
    plan = Plan(stamp=lambda m: token(TokenPlan(m, tsa, embed=(tsa.der, root.der), when=SIGNED)))
    result = verdict({"deed.pdf": sign(DEED, plan).data})
    assert one(result, "TIME.TSA") == open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert result.overall is Overall.INDETERMINATE
    assert one(verdict({"deed.pdf": time_stamped(sign(DEED, Plan(stamped=None)), tsa=tsa).data}), "SIG.LONG_TERM") == open_(
        Reason.NO_CERTIFICATE_CHAIN_FOUND
    )


def test_a_time_stamp_of_something_else_is_a_contradiction() -> None:
    plan = Plan(stamp=lambda _: token(TokenPlan(b"another", TSA, embed=(TSA.der,), when=SIGNED)))
    result = verdict({"deed.pdf": sign(DEED, plan).data})
    assert one(result, "TIME.TSA") == failed(Reason.HASH_FAILURE)
    assert result.overall is Overall.INCONSISTENT


def test_a_time_stamp_from_the_future_proves_nothing() -> None:
    result = verdict({"deed.pdf": sign(DEED, Plan(stamped=AT + timedelta(days=1))).data})
    assert one(result, "TIME.TSA") == open_(Reason.TIMESTAMP_ORDER_FAILURE)
    assert result.overall is Overall.INDETERMINATE


# ── the moment that counts ────────────────────────────────────────────────────────────────────────────────────────────


def short_lived(begin: datetime, end: datetime) -> Plan:
    seal = issue("Short-lived seal", by=MIDDLE, begin=begin, end=end)
    return Plan(signer=seal, embed=(seal.der, MIDDLE.der))


def test_a_certificate_that_ended_after_the_time_stamp() -> None:
    plan = short_lived(SIGNED - timedelta(days=30), SIGNED + timedelta(days=30))
    lists = (crl(ROOT), crl(MIDDLE, begin=SIGNED, end=SIGNED + timedelta(days=20)))
    assert verdict({"deed.pdf": sign(DEED, plan).data}, trust(lists=lists)).overall is Overall.CONSISTENT
    unstamped = verdict({"deed.pdf": sign(DEED, replace(plan, stamped=None)).data}, trust(lists=lists))
    assert one(unstamped, "SIG.IN_VALIDITY") == open_(Reason.OUT_OF_BOUNDS_NO_POE)


def test_a_time_stamp_after_the_end_of_the_certificate() -> None:
    """pyHanko 0.38 accepts this one."""
    plan = short_lived(SIGNED - timedelta(days=300), SIGNED - timedelta(days=1))
    result = verdict({"deed.pdf": sign(DEED, plan).data})
    assert one(result, "SIG.IN_VALIDITY") == open_(Reason.OUT_OF_BOUNDS_NO_POE)
    assert one(result, "SIG.CHAIN") == open_(Reason.OUT_OF_BOUNDS_NO_POE)
    assert result.overall is Overall.INDETERMINATE


def test_a_key_that_signed_before_its_certificate_began() -> None:
    plan = short_lived(SIGNED + timedelta(days=10), AT + timedelta(days=300))
    result = verdict({"deed.pdf": sign(DEED, plan).data})
    assert one(result, "SIG.IN_VALIDITY") == failed(Reason.NOT_YET_VALID)
    assert result.overall is Overall.INCONSISTENT
    early = verdict({"deed.pdf": sign(DEED, replace(plan, stamped=None)).data}, at=SIGNED)
    assert one(early, "SIG.IN_VALIDITY") == open_(Reason.NOT_YET_VALID)


def test_the_verdict_as_of_receipt_and_as_of_later() -> None:
    """A signature without a time-stamp holds while its certificate and list do; a stamped one is not touched by time."""
    bare, stamped = (sign(DEED, plan).data for plan in (Plan(stamped=None), PLAIN))
    later = AT + timedelta(days=400)
    assert one(verdict({"d.pdf": bare}), "SIG.REVOCATION") == PASSED
    assert one(verdict({"d.pdf": bare}, at=later), "SIG.REVOCATION") == open_(Reason.TRY_LATER)
    assert verdict({"d.pdf": stamped}, at=later).overall is Overall.CONSISTENT


# ── revocation ────────────────────────────────────────────────────────────────────────────────────────────────────────

DATA = sign(DEED).data
CASES = {
    "none": ((), Reason.TRY_LATER),
    "of the root alone": ((LISTS[0],), Reason.TRY_LATER),
    "of the authority alone": ((LISTS[1],), Reason.TRY_LATER),
    "ended before the signature": ((LISTS[0], crl(MIDDLE, end=SIGNED - timedelta(days=1))), Reason.TRY_LATER),
    "from after the verification": ((LISTS[0], crl(MIDDLE, begin=AT + timedelta(days=1), end=AT + timedelta(days=9))), Reason.TRY_LATER),
    "signed by a stranger": ((LISTS[0], crl(MIDDLE, key=STRANGER_ROOT.key)), Reason.TRY_LATER),
    "damaged": ((LISTS[0], LISTS[1][:-1]), Reason.TRY_LATER),
    "for authorities only": (
        (LISTS[0], crl(MIDDLE, extra=[(x509.IssuingDistributionPoint(None, None, False, True, None, False, False), True)])),
        Reason.TRY_LATER,
    ),
    "partial": ((LISTS[0], crl(MIDDLE, extra=[(x509.DeltaCRLIndicator(1), True)])), Reason.TRY_LATER),
    "for the holders of certificates": (
        (LISTS[0], crl(MIDDLE, extra=[(x509.IssuingDistributionPoint(None, None, True, False, None, False, False), True)])),
        None,
    ),
    "of both": (LISTS, None),
}


def revoking(holder: Holder, moment: datetime, issuer: Holder = MIDDLE) -> bytes:
    return crl(issuer, revoked=[(holder, moment)], begin=AT - timedelta(days=1))


@pytest.mark.parametrize(("lists", "reason"), CASES.values(), ids=CASES)
def test_lists(lists: tuple[bytes, ...], reason: Reason | None) -> None:
    result = verdict({"deed.pdf": DATA}, trust(lists=lists))
    assert one(result, "SIG.REVOCATION") == (PASSED if reason is None else open_(reason))
    assert (result.overall is Overall.CONSISTENT) == (reason is None)


def test_revoked_before_and_after_the_time_stamp() -> None:
    before = verdict({"d.pdf": DATA}, trust(lists=(LISTS[0], revoking(SEAL, SIGNED - timedelta(days=1)))))
    assert one(before, "SIG.REVOCATION") == open_(Reason.REVOKED_NO_POE)
    assert before.overall is Overall.INDETERMINATE
    after = verdict({"d.pdf": DATA}, trust(lists=(LISTS[0], revoking(SEAL, SIGNED + timedelta(days=1)))))
    assert after.overall is Overall.CONSISTENT
    # Without a proven time a revocation at any time counts.
    bare = sign(DEED, Plan(stamped=None)).data
    late = verdict({"d.pdf": bare}, trust(lists=(LISTS[0], revoking(SEAL, SIGNED + timedelta(days=1)))))
    assert one(late, "SIG.REVOCATION") == open_(Reason.REVOKED_NO_POE)


def test_a_revoked_authority() -> None:
    lists = (revoking(MIDDLE, SIGNED - timedelta(days=1), issuer=ROOT), LISTS[1])
    assert one(verdict({"d.pdf": DATA}, trust(lists=lists)), "SIG.REVOCATION") == open_(Reason.REVOKED_CA_NO_POE)


def test_an_honest_list_does_not_hide_another() -> None:
    lists = (*LISTS, revoking(SEAL, SIGNED - timedelta(days=1)))
    assert one(verdict({"d.pdf": DATA}, trust(lists=lists)), "SIG.REVOCATION") == open_(Reason.REVOKED_NO_POE)


def test_many_lists_of_the_party_crowd_out_none_of_the_courts() -> None:
    path = (SEAL.der, MIDDLE.der, ROOT.der)
    flood = [crl(MIDDLE, begin=AT - timedelta(days=300, seconds=n)) for n in range(2 * revocation.SUPPLIED_MAX)]
    revoked = revoking(SEAL, SIGNED - timedelta(days=1))
    standing = revocation.check(path, lists=(LISTS[0], revoked), supplied=flood, moment=SIGNED, now=AT)
    assert standing.reason is Reason.REVOKED_NO_POE


def test_a_pinned_seal_is_its_own_end() -> None:
    assert verdict({"d.pdf": DATA}, trust(SEAL.der, lists=())).overall is Overall.CONSISTENT


@pytest.mark.parametrize("eku", [[ExtendedKeyUsageOID.SERVER_AUTH], [ExtendedKeyUsageOID.TIME_STAMPING]])
def test_a_certificate_of_a_machine_seals_nothing(eku: list[x509.ObjectIdentifier]) -> None:
    seal = issue("Machine", by=MIDDLE, eku=eku)
    result = verdict({"d.pdf": sign(DEED, Plan(signer=seal, embed=(seal.der, MIDDLE.der))).data})
    assert one(result, "SIG.CHAIN") == open_(Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_an_authority_seals_nothing_itself() -> None:
    result = verdict({"d.pdf": sign(DEED, Plan(signer=MIDDLE, embed=(MIDDLE.der,))).data})
    assert one(result, "SIG.CHAIN") == open_(Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_several_signatures_each_speak_for_themselves() -> None:
    second = issue("Second seal", by=MIDDLE)
    both = sign(sign(DEED), Plan(signer=second, embed=(second.der, MIDDLE.der), name=b"Second"))
    result = verdict({"d.pdf": both.data})
    assert found(result, "SIG.INTACT") == [PASSED, PASSED]
    assert found(result, "SIG.MODIFIED") == [PASSED, PASSED]
    assert result.overall is Overall.CONSISTENT
    # One of them unknown: the other still leads home, and the unknown one is shown.
    mixed = sign(sign(DEED), Plan(signer=STRANGER, embed=(STRANGER.der,), name=b"Second"))
    result = verdict({"d.pdf": mixed.data})
    assert found(result, "SIG.CHAIN") == [PASSED, open_(Reason.NO_CERTIFICATE_CHAIN_FOUND)]
    assert result.overall is Overall.CONSISTENT


def test_a_proof_beside_the_file_counts_as_for_any_content() -> None:
    data = sign(DEED, Plan(signer=STRANGER, embed=(STRANGER.der,))).data
    stamp = token(TokenPlan(data, TSA, embed=(TSA.der,), when=WHEN))
    result = verdict({"contract.pdf": data, "contract.tsr": stamp})
    assert (result.overall, result.grade) == (Overall.CONSISTENT, Grade.A)


def test_nothing_trusted_nothing_proven() -> None:
    result = verdict({"deed.pdf": DATA}, TrustStore.empty())
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.E)


def test_the_same_bytes_every_time() -> None:
    assert verdict({"deed.pdf": DATA}).to_json() == verdict({"deed.pdf": DATA}).to_json()
