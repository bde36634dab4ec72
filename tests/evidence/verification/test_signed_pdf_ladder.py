"""The ladder of checks on signed PDF files (spec signed-report §13), row by row: for every answer that a row can have, an exhibit that gets it.

A row or an answer without an exhibit is a hole in the tests, and the last test says so.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from evidence.verification import TrustStore
from evidence.verification.verdict import Outcome, Overall

from .authority import Holder, TokenPlan, issue, token
from .pdf_exhibits import (
    ANNOTS,
    AT,
    LISTS,
    MIDDLE,
    ROOT,
    SEAL,
    SIGNED,
    STRANGER,
    TSA,
    Document,
    Plan,
    crl,
    document,
    sign,
    stream,
    text,
    time_stamped,
    trust,
    update,
    verdict,
)
from .test_signed_pdf_attacks import FORM_FIELD, filled
from .test_signed_pdf_shadows import hybrid

DEED = document(text("The price is 100"), text("second page"))
SEALED = sign(DEED)
BARE = Plan(stamped=None)
DRAWN = 11
REFUTED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
Answer = tuple[str, str | None]


def living(begin: int, end: int) -> Plan:
    """A seal whose certificate begins and ends so many days from the time of signing."""
    seal = issue("Short-lived", by=MIDDLE, begin=SIGNED + timedelta(days=begin), end=SIGNED + timedelta(days=end))
    return Plan(signer=seal, embed=(seal.der, MIDDLE.der))


def machine() -> Plan:
    seal = issue("Machine", by=MIDDLE, eku=[ExtendedKeyUsageOID.SERVER_AUTH])
    return Plan(signer=seal, embed=(seal.der, MIDDLE.der))


def revoked(holder: Holder, issuer: Holder) -> bytes:
    return crl(issuer, revoked=[(holder, SIGNED - timedelta(days=1))], begin=AT - timedelta(days=1))


def stamp_of_another_key(message: bytes) -> bytes:
    return token(TokenPlan(message, Holder(issue("Other", by=ROOT).key, TSA.certificate), embed=(TSA.der,), when=SIGNED))


def behind(data: bytes) -> bytes:
    return SEALED.data + data


FIELDED = update(DEED, FORM_FIELD)
UNKNOWN = Plan(name=b"Second", signer=STRANGER, embed=(STRANGER.der,))
LISTED_ONLY = trust(tsa=())
ROWS: dict[str, dict[Answer, tuple[Callable[[], Document | bytes], TrustStore | None]]] = {
    # row -> answer -> (file, trust store)
    "SIG.ENUMERATED": {
        (PASSED, None): (lambda: SEALED, None),
        (REFUTED, "FORMAT_FAILURE"): (lambda: sign(DEED, Plan(value=lambda _: b"")), None),
        (OPEN, "UNSUPPORTED_FORMAT"): (lambda: sign(DEED, Plan(subfilter=b"GM.SealSign")), None),
        (OPEN, "RESOURCE_LIMIT"): (lambda: reduce(lambda d, i: update(d, {500 + i: b"1"}), range(120), SEALED), None),
        (OPEN, "NOT_SIGNED"): (lambda: update(SEALED, {3: b"<</Fields[]>>", ANNOTS: b"[]"}), None),
        (OPEN, "FORMAT_FAILURE"): (lambda: b"%PDF-1.7\n/ByteRange", None),
    },
    "SIG.BYTERANGE": {
        (PASSED, None): (lambda: SEALED, None),
        (REFUTED, "FORMAT_FAILURE"): (lambda: sign(DEED, Plan(byte_range=lambda gap, end, size: [0, end, gap, size - gap])), None),
    },
    "SIG.INTACT": {
        (PASSED, None): (lambda: SEALED, None),
        (REFUTED, "HASH_FAILURE"): (lambda: SEALED.data.replace(b"price is 100", b"price is 900"), None),
        (REFUTED, "SIG_CRYPTO_FAILURE"): (lambda: sign(DEED, Plan(signer=Holder(issue("x", by=MIDDLE).key, SEAL.certificate))), None),
        (OPEN, "CRYPTO_CONSTRAINTS_FAILURE"): (lambda: sign(DEED, Plan(digest="sha1")), None),
        (OPEN, "NO_SIGNING_CERTIFICATE_FOUND"): (lambda: sign(DEED, Plan(embed=())), None),
    },
    "SIG.MODIFIED": {
        (PASSED, None): (lambda: sign(SEALED, Plan(name=b"Second")), None),
        (REFUTED, "MODIFIED_AFTER_SIGNING"): (lambda: update(SEALED, {DRAWN: stream(text("900"))}), None),
        (OPEN, "RESOURCE_LIMIT"): (lambda: hybrid(SEALED, DRAWN, stream(text("900"))), None),
    },
    "SIG.DOCMDP": {
        (PASSED, None): (lambda: sign(sign(DEED, Plan(docmdp=2)), Plan(name=b"Second")), None),
        (REFUTED, "MODIFIED_AFTER_SIGNING"): (lambda: sign(sign(DEED, Plan(docmdp=1)), Plan(name=b"Second")), None),
        (OPEN, "RESOURCE_LIMIT"): (lambda: hybrid(SEALED, DRAWN, stream(text("900"))), None),
    },
    "SIG.VISUAL": {
        (PASSED, None): (lambda: sign(SEALED, Plan(name=b"Second")), None),
        (REFUTED, "MODIFIED_AFTER_SIGNING"): (lambda: update(SEALED, {DRAWN: stream(text("900"))}), None),
        (OPEN, "MODIFIED_AFTER_SIGNING"): (lambda: filled(sign(FIELDED)), None),
        (OPEN, "RESOURCE_LIMIT"): (lambda: sign(sign(document(*[text("x")] * 130)), UNKNOWN), None),
    },
    "SIG.TRAILING": {
        (OPEN, "MODIFIED_AFTER_SIGNING"): (lambda: behind(b"% remark\n"), None),
        (REFUTED, "MODIFIED_AFTER_SIGNING"): (lambda: behind(b"4 0 obj\n[]\nendobj\n"), None),
    },
    "SIG.CHAIN": {
        (PASSED, None): (lambda: SEALED, None),
        (OPEN, "NO_CERTIFICATE_CHAIN_FOUND"): (lambda: sign(DEED, Plan(signer=STRANGER, embed=(STRANGER.der,))), None),
        (OPEN, "NO_SIGNING_CERTIFICATE_FOUND"): (lambda: sign(DEED, Plan(embed=())), None),
        (OPEN, "CHAIN_CONSTRAINTS_FAILURE"): (lambda: sign(DEED, machine()), None),
        (OPEN, "OUT_OF_BOUNDS_NO_POE"): (lambda: sign(DEED, living(-300, -1)), None),
    },
    "SIG.REVOCATION": {
        (PASSED, None): (lambda: SEALED, None),
        (OPEN, "REVOKED_NO_POE"): (lambda: SEALED, trust(lists=(LISTS[0], revoked(SEAL, MIDDLE)))),
        (OPEN, "REVOKED_CA_NO_POE"): (lambda: SEALED, trust(lists=(revoked(MIDDLE, ROOT), LISTS[1]))),
        (OPEN, "TRY_LATER"): (lambda: SEALED, trust(lists=())),
    },
    "SIG.IN_VALIDITY": {
        (PASSED, None): (lambda: SEALED, None),
        (REFUTED, "NOT_YET_VALID"): (lambda: sign(DEED, living(10, 900)), None),
        (OPEN, "OUT_OF_BOUNDS_NO_POE"): (lambda: sign(DEED, living(-300, -1)), None),
        (OPEN, "NOT_YET_VALID"): (lambda: sign(DEED, replace(living(900, 1900), stamped=None)), None),
    },
    "TIME.TSA": {
        (PASSED, None): (lambda: SEALED, None),
        (REFUTED, "HASH_FAILURE"): (lambda: sign(DEED, Plan(stamp=lambda _: token(TokenPlan(b"x", TSA, embed=(TSA.der,), when=SIGNED)))), None),
        (REFUTED, "SIG_CRYPTO_FAILURE"): (lambda: sign(DEED, Plan(stamp=stamp_of_another_key)), None),
        (OPEN, "NO_POE"): (lambda: sign(DEED, BARE), None),
        (OPEN, "TIMESTAMP_ORDER_FAILURE"): (lambda: sign(DEED, Plan(stamped=AT + timedelta(days=1))), None),
        (OPEN, "NO_CERTIFICATE_CHAIN_FOUND"): (lambda: SEALED, LISTED_ONLY),
    },
    "SIG.LONG_TERM": {
        (PASSED, None): (lambda: time_stamped(sign(DEED, BARE)), None),
        (OPEN, "NO_CERTIFICATE_CHAIN_FOUND"): (lambda: time_stamped(SEALED), LISTED_ONLY),
        (OPEN, "TIMESTAMP_ORDER_FAILURE"): (lambda: time_stamped(SEALED, when=AT + timedelta(days=1)), None),
        (REFUTED, "HASH_FAILURE"): (lambda: time_stamped(sign(DEED, BARE)).data.replace(b"price is 100", b"price is 900"), None),
    },
    "SIG.ALG_STRENGTH": {
        (PASSED, None): (lambda: SEALED, None),
        (OPEN, "CRYPTO_CONSTRAINTS_FAILURE"): (lambda: sign(DEED, Plan(digest="sha1")), None),
    },
    "SIG.CONSTRAINTS": {
        (PASSED, None): (lambda: SEALED, None),
        (OPEN, "SIG_CONSTRAINTS_FAILURE"): (lambda: sign(DEED, Plan(ess=False)), None),
    },
    "SIG.IDENTITY": {
        (PASSED, None): (lambda: SEALED, None),
        (OPEN, "NO_CERTIFICATE_CHAIN_FOUND"): (lambda: sign(DEED, Plan(signer=STRANGER, embed=(STRANGER.der,))), None),
    },
}
LADDER = (
    "SIG.ENUMERATED", "SIG.BYTERANGE", "SIG.INTACT", "SIG.MODIFIED", "SIG.DOCMDP", "SIG.VISUAL", "SIG.TRAILING", "SIG.CHAIN", "SIG.REVOCATION",
    "SIG.IN_VALIDITY", "TIME.TSA", "SIG.LONG_TERM", "SIG.ALG_STRENGTH", "SIG.CONSTRAINTS", "SIG.IDENTITY",
)  # fmt: skip
HARMLESS = {
    ("SIG.TRAILING", "MODIFIED_AFTER_SIGNING"),
    # A time-stamp over the file that is no proof takes nothing from one on the signature.
    ("SIG.LONG_TERM", "NO_CERTIFICATE_CHAIN_FOUND"),
    ("SIG.LONG_TERM", "TIMESTAMP_ORDER_FAILURE"),
}
"""Open answers that leave the verdict what it is."""
CASES = [(row, answer, *made) for row, answers in ROWS.items() for answer, made in answers.items()]


@pytest.mark.parametrize(("row", "answer", "make", "store"), CASES, ids=[f"{c[0]}-{c[1][0]}-{c[1][1]}" for c in CASES])
def test_the_row_gives_the_answer(
    row: str, answer: Answer, make: Callable[[], Document | bytes], store: TrustStore | None
) -> None:
    made = make()
    result = verdict({"deed.pdf": made if isinstance(made, bytes) else made.data}, store)
    given = {(f.outcome.value, f.reason.value if f.reason else None) for f in result.findings if f.check == row}
    assert answer in given
    outcome, reason = answer
    if outcome == REFUTED:
        assert result.overall is Overall.INCONSISTENT
    elif outcome == OPEN and (row, reason) not in HARMLESS:
        assert result.overall is not Overall.CONSISTENT
    assert not any(f.outcome is Outcome.FAILED for f in result.findings) or result.overall is Overall.INCONSISTENT


def test_nothing_behind_the_end_needs_no_answer() -> None:
    assert not [f for f in verdict({"deed.pdf": SEALED.data}).findings if f.check == "SIG.TRAILING"]


def test_every_row_of_the_ladder_has_its_exhibits() -> None:
    assert tuple(sorted(ROWS)) == tuple(sorted(LADDER))
    for row, answers in ROWS.items():
        assert len(answers) >= 2, row
        outcomes = {outcome for outcome, _ in answers}
        assert (PASSED in outcomes) != (row == "SIG.TRAILING"), "nothing behind the end is no finding"
