"""Certificate paths: what must hold, what must not, and agreement with two independent validators."""

import asyncio
import random
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS

from evidence.verification.keys.x509 import (
    INTERMEDIATES_MAX,
    Certificate,
    CertificateError,
    Purpose,
    names_host,
    validate,
)
from evidence.verification.keys.x509 import (
    Path as CertificatePath,
)
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome

from .authority import BEGIN, END, SERVER_AUTH, TIME_STAMPING, WHEN, Holder, issue, issue_sm2, rsa_key

ROOT = issue("root", ca=True)
MIDDLE = issue("middle", by=ROOT, ca=True, path_length=0)
LEAF = issue("tsa", by=MIDDLE, eku=[TIME_STAMPING])


def path(
    leaf: Holder,
    *,
    intermediates: tuple[Holder, ...] = (MIDDLE,),
    roots: tuple[Holder, ...] = (ROOT,),
    at: datetime = WHEN,
    purpose: Purpose = Purpose.TIME_STAMPING,
    host: str | None = None,
) -> CertificatePath:
    return validate(
        leaf.der,
        intermediates=[i.der for i in intermediates],
        roots=[r.der for r in roots],
        at=at,
        purpose=purpose,
        host=host,
    )


def refused(found: CertificatePath, reason: Reason) -> None:
    assert (found.outcome, found.reason) == (Outcome.INDETERMINATE, reason), found.problem
    assert found.anchor is None


def test_a_path_to_a_pinned_root() -> None:
    found = path(LEAF)
    assert found.outcome is Outcome.PASSED
    assert found.certificates == (LEAF.der, MIDDLE.der, ROOT.der)
    assert found.anchor == ROOT.der


def test_without_the_link_or_the_root() -> None:
    refused(path(LEAF, intermediates=()), Reason.NO_CERTIFICATE_CHAIN_FOUND)
    refused(path(LEAF, roots=()), Reason.NO_CERTIFICATE_CHAIN_FOUND)
    refused(path(LEAF, roots=(issue("other", ca=True),)), Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_root_handed_in_by_the_party_is_no_root() -> None:
    refused(path(LEAF, intermediates=(MIDDLE, ROOT), roots=()), Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_the_same_name_is_not_the_same_root() -> None:
    impostor = issue("root", ca=True)
    leaf = issue("tsa", by=issue("middle", by=impostor, ca=True), eku=[TIME_STAMPING])
    refused(path(leaf, intermediates=(MIDDLE, impostor)), Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_impostors_beside_the_right_link_do_no_harm() -> None:
    impostor = issue("middle", by=issue("root", ca=True), ca=True)
    for order in permutations((MIDDLE, impostor, issue("middle", ca=True))):
        assert path(LEAF, intermediates=order).anchor == ROOT.der


def test_a_leaf_is_not_an_authority() -> None:
    victim = issue("victim", by=MIDDLE, eku=[TIME_STAMPING])
    forged = issue("tsa", by=victim, eku=[TIME_STAMPING])
    refused(path(forged, intermediates=(MIDDLE, victim)), Reason.CHAIN_CONSTRAINTS_FAILURE)
    # Nor is a pinned leaf.
    refused(path(forged, intermediates=(), roots=(victim,)), Reason.CHAIN_CONSTRAINTS_FAILURE)
    # Nor one without basic constraints at all.
    plain = issue("plain", by=ROOT, basic_constraints=False, key_usage="cert")
    refused(path(issue("tsa", by=plain, eku=[TIME_STAMPING]), intermediates=(plain,)), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_authority_without_the_right_to_sign_certificates() -> None:
    middle = issue("middle", by=ROOT, ca=True, key_usage="sign")
    refused(path(issue("tsa", by=middle, eku=[TIME_STAMPING]), intermediates=(middle,)), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_path_length() -> None:
    below = issue("below", by=MIDDLE, ca=True)  # MIDDLE may issue leaves only
    leaf = issue("tsa", by=below, eku=[TIME_STAMPING])
    refused(path(leaf, intermediates=(MIDDLE, below)), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_validity_has_two_ends_and_they_belong_to_it() -> None:
    assert path(LEAF, at=BEGIN).outcome is Outcome.PASSED
    assert path(LEAF, at=END).outcome is Outcome.PASSED
    refused(path(LEAF, at=END + timedelta(seconds=1)), Reason.OUT_OF_BOUNDS_NO_POE)
    refused(path(LEAF, at=BEGIN - timedelta(seconds=1)), Reason.NOT_YET_VALID)


@pytest.mark.parametrize("which", ["leaf", "middle", "root"])
def test_every_certificate_of_the_path_must_be_in_its_period(which: str) -> None:
    ends = dict.fromkeys(("leaf", "middle", "root"), END) | {which: datetime(2025, 1, 1, tzinfo=UTC)}
    root = issue("root", ca=True, end=ends["root"])
    middle = issue("middle", by=root, ca=True, end=ends["middle"])
    leaf = issue("tsa", by=middle, eku=[TIME_STAMPING], end=ends["leaf"])
    refused(path(leaf, intermediates=(middle,), roots=(root,)), Reason.OUT_OF_BOUNDS_NO_POE)
    earlier = path(leaf, intermediates=(middle,), roots=(root,), at=datetime(2024, 1, 1, tzinfo=UTC))
    assert earlier.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "leaf",
    [
        issue("tsa", by=MIDDLE),
        issue("tsa", by=MIDDLE, eku=[SERVER_AUTH]),
        issue("tsa", by=MIDDLE, eku=[TIME_STAMPING, SERVER_AUTH]),
        issue("tsa", by=MIDDLE, eku=[TIME_STAMPING], eku_critical=False),
        issue("tsa", by=ROOT, eku=[TIME_STAMPING], ca=True),
        issue("tsa", by=MIDDLE, eku=[TIME_STAMPING], key_usage="encipher"),
        issue("tsa", by=MIDDLE, eku=[TIME_STAMPING], extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]),
    ],
    ids=["no-eku", "other-eku", "two-ekus", "not-critical", "authority", "usage", "unknown-critical"],
)
def test_leaf_not_for_time_stamping(leaf: Holder) -> None:
    refused(path(leaf), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_extended_key_usage_of_authorities_narrows() -> None:
    def through(**options: object) -> CertificatePath:
        middle = issue("middle", by=ROOT, ca=True, **options)  # type: ignore[arg-type]
        return path(issue("tsa", by=middle, eku=[TIME_STAMPING]), intermediates=(middle,))

    assert through().outcome is Outcome.PASSED
    assert through(eku=[TIME_STAMPING]).outcome is Outcome.PASSED
    assert through(eku=[x509.ObjectIdentifier("2.5.29.37.0")], eku_critical=False).outcome is Outcome.PASSED
    refused(through(eku=[SERVER_AUTH]), Reason.CHAIN_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    "extension",
    [
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
        x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None),
        x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None),
    ],
    ids=["unknown", "names", "policy"],
)
def test_what_is_not_understood_stops_the_path(extension: x509.ExtensionType) -> None:
    middle = issue("middle", by=ROOT, ca=True, extra=[(extension, True)])
    refused(path(issue("tsa", by=middle, eku=[TIME_STAMPING]), intermediates=(middle,)), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_weak_keys() -> None:
    small = issue("tsa", by=MIDDLE, key=rsa_key(1024), eku=[TIME_STAMPING])
    refused(path(small), Reason.CRYPTO_CONSTRAINTS_FAILURE)
    assert path(issue("tsa", by=MIDDLE, key=rsa_key(2048), eku=[TIME_STAMPING])).outcome is Outcome.PASSED


def test_sha1_signature_on_a_link() -> None:
    leaf = sha1_signed(LEAF.der, ROOT)
    found = validate(leaf, intermediates=[], roots=[ROOT.der], at=WHEN, purpose=Purpose.TIME_STAMPING)
    refused(found, Reason.CRYPTO_CONSTRAINTS_FAILURE)


def sha1_signed(model: bytes, by: Holder) -> bytes:
    """The model certificate again, issued by `by` with ecdsa-with-SHA1 (which `cryptography` no longer makes)."""
    from asn1crypto import x509 as asn1

    certificate = asn1.Certificate.load(model).copy()
    algorithm = {"algorithm": "sha1_ecdsa"}
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["tbs_certificate"]["issuer"] = asn1.Certificate.load(by.der).subject
    certificate["signature_algorithm"] = algorithm
    tbs = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = by.key.sign(tbs, ec.ECDSA(hashes.SHA1()))  # noqa: S303
    return bytes(certificate.dump(force=True))


def test_every_byte_of_a_link_counts() -> None:
    """A changed leaf or link never gives a path (unsigned bytes do not exist in a certificate)."""
    rng = random.Random(7)
    for certificate in (LEAF.der, MIDDLE.der):
        for place in rng.sample(range(len(certificate)), 120):
            changed = bytearray(certificate)
            changed[place] ^= 1 << rng.randrange(8)
            leaf, middle = (bytes(changed), MIDDLE.der) if certificate is LEAF.der else (LEAF.der, bytes(changed))
            found = validate(leaf, intermediates=[middle], roots=[ROOT.der], at=WHEN, purpose=Purpose.TIME_STAMPING)
            assert found.outcome is Outcome.INDETERMINATE, place


def test_bytes_that_are_no_certificate() -> None:
    for data in (b"", b"\x30", b"\x30\x00", LEAF.der[:-1], LEAF.der + b"\x00", LEAF.pem, bytes(1000), b"\x30" * 500):
        refused(
            validate(data, intermediates=[], roots=[ROOT.der], at=WHEN, purpose=Purpose.TIME_STAMPING),
            Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE,
        )
        with pytest.raises(CertificateError):
            Certificate(data)
        assert validate(
            LEAF.der, intermediates=[data, MIDDLE.der], roots=[ROOT.der], at=WHEN, purpose=Purpose.TIME_STAMPING
        ).anchor == ROOT.der


def test_a_maze_is_bounded() -> None:
    """Many certificates of one name signed by each other: the search ends, and says that it gave up."""
    keys = [issue("maze", ca=True) for _ in range(6)]
    crossed = [issue("maze", by=a, key=b.key, ca=True) for a in keys for b in keys if a is not b]
    leaf = issue("tsa", by=keys[0], eku=[TIME_STAMPING])
    refused(path(leaf, intermediates=(*keys, *crossed)), Reason.RESOURCE_LIMIT)
    refused(
        validate(leaf.der, intermediates=[MIDDLE.der] * (INTERMEDIATES_MAX + 1), roots=[], at=WHEN, purpose=Purpose.TIME_STAMPING),
        Reason.RESOURCE_LIMIT,
    )


def test_two_authorities_that_vouch_for_each_other() -> None:
    a, b = issue("a", ca=True), issue("b", ca=True)
    a_by_b, b_by_a = issue("a", by=b, key=a.key, ca=True), issue("b", by=a, key=b.key, ca=True)
    refused(path(issue("tsa", by=a, eku=[TIME_STAMPING]), intermediates=(a_by_b, b_by_a)), Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_order_of_handing_in_never_shows() -> None:
    others = [issue("middle", by=issue("root", ca=True), ca=True), issue("middle", by=ROOT, ca=True, end=WHEN - timedelta(days=1))]
    results = {path(LEAF, intermediates=tuple(order)) for order in permutations([MIDDLE, *others])}
    assert len(results) == 1


def test_a_pinned_leaf_is_its_own_path() -> None:
    found = path(LEAF, intermediates=(), roots=(LEAF,))
    assert found.certificates == (LEAF.der,)
    assert found.outcome is Outcome.PASSED


def test_member_of_a_chain_needs_no_extended_key_usage() -> None:
    member = issue("node", by=MIDDLE)
    assert path(member, purpose=Purpose.CHAIN_MEMBER).outcome is Outcome.PASSED
    refused(path(issue("node", by=member), intermediates=(MIDDLE, member), purpose=Purpose.CHAIN_MEMBER), Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_other_kinds_of_keys_and_signatures() -> None:
    """RSA-PSS, Ed25519 and P-384 on the links of a path."""
    pss = issue("pss", ca=True, key=rsa_key(), padding=PSS(MGF1(hashes.SHA384()), 48), digest=hashes.SHA384())
    assert path(issue("tsa", by=pss, eku=[TIME_STAMPING], padding=PSS(MGF1(hashes.SHA256()), 32)), roots=(pss,)).anchor
    edwards = issue("ed25519", ca=True, key=Ed25519PrivateKey.generate())
    assert path(issue("tsa", by=edwards, eku=[TIME_STAMPING]), roots=(edwards,)).anchor
    nist = issue("p-384", ca=True, key=ec.generate_private_key(ec.SECP384R1()), digest=hashes.SHA384())
    assert path(issue("tsa", by=nist, eku=[TIME_STAMPING], digest=hashes.SHA512()), roots=(nist,)).anchor
    # One digest for the message and another for the mask: unusual, and not taken for anything.
    odd = issue("tsa", by=pss, eku=[TIME_STAMPING], padding=PSS(MGF1(hashes.SHA512()), 32))
    refused(path(odd, roots=(pss,)), Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE)


# ── web servers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def web(leaf: Holder, host: str, **options: object) -> CertificatePath:
    return path(leaf, purpose=Purpose.WEB_SERVER, host=host, **options)  # type: ignore[arg-type]


def test_a_web_server_and_its_names() -> None:
    leaf = issue("example.org", by=MIDDLE, eku=[SERVER_AUTH], eku_critical=False, dns=["example.org", "*.archive.example.org"])
    for host in ("example.org", "EXAMPLE.org", "a.archive.example.org"):
        assert web(leaf, host).outcome is Outcome.PASSED, host
    for host in ("www.example.org", "archive.example.org", "a.b.archive.example.org", "example.com", "", "xexample.org", "org"):
        refused(web(leaf, host), Reason.CERT_HOST_MISMATCH)


def test_the_common_name_is_no_host_name() -> None:
    refused(web(issue("example.org", by=MIDDLE, eku=[SERVER_AUTH]), "example.org"), Reason.CERT_HOST_MISMATCH)


def test_web_server_constraints() -> None:
    refused(web(issue("w", by=MIDDLE, dns=["example.org"]), "example.org"), Reason.CHAIN_CONSTRAINTS_FAILURE)
    refused(web(issue("w", by=MIDDLE, eku=[TIME_STAMPING], dns=["example.org"]), "example.org"), Reason.CHAIN_CONSTRAINTS_FAILURE)
    good = issue("w", by=MIDDLE, eku=[SERVER_AUTH], eku_critical=False, dns=["example.org"])
    assert web(good, "example.org").outcome is Outcome.PASSED
    refused(path(good), Reason.CHAIN_CONSTRAINTS_FAILURE)  # and it stamps no time


@pytest.mark.parametrize(("permitted", "outcome"), [("example.org", Outcome.PASSED), ("example.net", Outcome.INDETERMINATE)])
def test_name_constraints_of_a_web_authority(permitted: str, outcome: Outcome) -> None:
    limits = x509.NameConstraints(permitted_subtrees=[x509.DNSName(permitted)], excluded_subtrees=None)
    middle = issue("middle", by=ROOT, ca=True, extra=[(limits, True)])
    leaf = issue("w", by=middle, eku=[SERVER_AUTH], eku_critical=False, dns=["www.example.org"])
    assert web(leaf, "www.example.org", intermediates=(middle,)).outcome is outcome


def test_wildcards_stand_for_one_label_only() -> None:
    leaf = Certificate(issue("w", by=MIDDLE, dns=["*.org", "*", "f*.example.org"]).der)
    assert not names_host(leaf, "example.org")
    assert not names_host(leaf, "foo.example.org")
    assert not names_host(leaf, "localhost")


# ── SM2 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sm2_paths() -> None:
    root = issue_sm2("国密根", secret=1001, ca=True)
    middle = issue_sm2("国密中级", secret=1002, by=root, ca=True)
    leaf = issue_sm2("国密时间戳", secret=1003, by=middle, tsa=True)

    def found(leaf_der: bytes, intermediates: list[bytes], purpose: Purpose) -> CertificatePath:
        return validate(leaf_der, intermediates=intermediates, roots=[root.der], at=WHEN, purpose=purpose)

    for purpose in (Purpose.TIME_STAMPING, Purpose.CHAIN_MEMBER):
        assert found(leaf.der, [middle.der], purpose).anchor == root.der
    refused(found(leaf.der, [], Purpose.TIME_STAMPING), Reason.NO_CERTIFICATE_CHAIN_FOUND)
    impostor = issue_sm2("国密根", secret=6666, ca=True)
    refused(found(issue_sm2("x", secret=3, by=impostor, tsa=True).der, [impostor.der], Purpose.TIME_STAMPING), Reason.NO_CERTIFICATE_CHAIN_FOUND)
    refused(found(issue_sm2("x", secret=3, by=leaf, tsa=True).der, [middle.der, leaf.der], Purpose.TIME_STAMPING), Reason.CHAIN_CONSTRAINTS_FAILURE)
    rng = random.Random(5)
    for place in rng.sample(range(len(leaf.der)), 60):
        changed = bytearray(leaf.der)
        changed[place] ^= 1 << rng.randrange(8)
        assert found(bytes(changed), [middle.der], Purpose.TIME_STAMPING).outcome is Outcome.INDETERMINATE, place


def test_a_signature_is_whole_octets() -> None:
    """The count of unused bits stands outside what is signed: where the last bits are zero, another count would fit as well."""
    made = issue("Example Root", ca=True)
    signature = Certificate(made.der).parsed.signature
    at = len(made.der) - len(signature) - 1
    assert made.der[at] == 0
    for count in range(1, 8):
        changed = made.der[:at] + bytes([count]) + made.der[at + 1 :]
        with pytest.raises(CertificateError):
            Certificate(changed)


@pytest.mark.needs("openssl")
def test_sm2_certificates_made_by_openssl(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=tmp_path)

    (tmp_path / "ca.cnf").write_text(
        "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
        "[leaf]\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
        "[req]\ndistinguished_name=dn\n[dn]\n"
    )
    sm2 = ("-sm3", "-sigopt", "distid:1234567812345678")
    for who in ("root", "leaf"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", f"{who}.key")
    openssl("req", "-x509", "-new", "-key", "root.key", *sm2, "-subj", "/CN=root", "-days", "3650",
            "-config", "ca.cnf", "-extensions", "ca", "-outform", "DER", "-out", "root.der")  # fmt: skip
    openssl("x509", "-inform", "DER", "-in", "root.der", "-out", "root.pem")
    openssl("req", "-new", "-key", "leaf.key", *sm2, "-subj", "/CN=leaf", "-config", "ca.cnf", "-out", "leaf.csr")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", *sm2,
            "-vfyopt", "distid:1234567812345678", "-days", "3650", "-extfile", "ca.cnf", "-extensions", "leaf",
            "-outform", "DER", "-out", "leaf.der")  # fmt: skip
    leaf, root = ((tmp_path / f"{who}.der").read_bytes() for who in ("leaf", "root"))
    at = Certificate(leaf).not_before + timedelta(days=1)
    for purpose in (Purpose.TIME_STAMPING, Purpose.CHAIN_MEMBER):
        found = validate(leaf, intermediates=[], roots=[root], at=at, purpose=purpose)
        assert found.anchor == root, found.problem


# ── agreement with independent validators ─────────────────────────────────────────────────────────────────────────────


def hierarchies(*, root_limits: tuple[int | None, ...] = (None, 0, 1)) -> list[tuple[list[Holder], Holder]]:
    """Hierarchies with one property varied each: (root, intermediates…), leaf."""
    rng = random.Random(20261122)
    made = []
    for _ in range(40):
        root = issue("root", ca=True, path_length=rng.choice(root_limits))
        last, chain = root, [root]
        for depth in range(rng.randrange(0, 3)):
            period = rng.choice([(BEGIN, END)] * 5 + [(WHEN + timedelta(days=1), END), (BEGIN, WHEN - timedelta(days=1))])
            last = issue(
                f"middle {depth}",
                by=last,
                ca=rng.random() < 0.85,
                path_length=rng.choice((None, None, 0, 1)),
                key_usage=rng.choice(("cert", "cert", "cert", "cert", "sign")),
                begin=period[0],
                end=period[1],
            )
            chain.append(last)
        dns = rng.choice((["example.org"], ["example.org"], ["example.net"]))
        leaf = issue("w", by=last, eku=[SERVER_AUTH], eku_critical=False, dns=dns)
        made.append((chain, leaf))
    return made


def test_agreement_with_the_librarys_verifier() -> None:
    """Where ours finds a path for a web server, the library must; where the library does, ours must."""
    from cryptography.x509 import verification

    agreed = {True: 0, False: 0}
    for chain, leaf in hierarchies():
        builder = verification.PolicyBuilder().store(verification.Store([chain[0].certificate])).time(WHEN)
        try:
            builder.build_server_verifier(x509.DNSName("example.org")).verify(
                leaf.certificate, [c.certificate for c in chain[1:]]
            )
            theirs = True
        except verification.VerificationError:
            theirs = False
        ours = web(leaf, "example.org", intermediates=tuple(chain[1:]), roots=(chain[0],)).outcome is Outcome.PASSED
        assert ours == theirs, web(leaf, "example.org", intermediates=tuple(chain[1:]), roots=(chain[0],)).problem
        agreed[ours] += 1
    assert min(agreed.values()) >= 5  # the set tells them apart


def test_agreement_with_pyhankos_validator() -> None:
    """The same hierarchies as members of a chain, where our own rules alone decide.

    The root sets no path length here: pyHanko takes an anchor as a bare key (RFC 5280 §6.1.1 d), we hold it to its own limits.
    """
    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator import CertificateValidator, ValidationContext
    from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError

    agreed = {True: 0, False: 0}
    for chain, leaf in hierarchies(root_limits=(None,)):
        context = ValidationContext(
            trust_roots=[asn1.Certificate.load(chain[0].der)],
            other_certs=[asn1.Certificate.load(c.der) for c in chain[1:]],
            moment=WHEN,
            allow_fetching=False,
        )
        validator = CertificateValidator(asn1.Certificate.load(leaf.der), validation_context=context)
        try:
            asyncio.run(validator.async_validate_usage({"digital_signature"}))
            theirs = True
        except (PathBuildingError, PathValidationError):
            theirs = False
        found = path(leaf, intermediates=tuple(chain[1:]), roots=(chain[0],), purpose=Purpose.CHAIN_MEMBER)
        assert (found.outcome is Outcome.PASSED) == theirs, found.problem
        agreed[theirs] += 1
    assert min(agreed.values()) >= 5
