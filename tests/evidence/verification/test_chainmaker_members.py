"""Who signs on a ChainMaker chain, and with what: certificates sign with their own hash, RSA as the node pads it.

Sources: ChainMaker `accesscontrol` (`certificateMember.Verify`: the hash is the certificate's and the chain's is ignored;
`pkMember.Verify`: the chain's) and common `crypto/asym/rsa`, `crypto/asym/ecdsa`. The signatures are made by `cryptography`
and gmalg.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification.chains import chainmaker_members as members
from evidence.verification.chains.chainmaker_members import Certificates, Suite
from evidence.verification.chains.chainmaker_messages import MEMBER
from evidence.verification.codecs import protobuf
from evidence.verification.keys import public_key
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration.chainmaker import Built, Network, Signer, e64
from portal.demonstration.signers import Certificate, Key, certificate, key, pem
from tests.evidence.verification.authority import BEGIN, END
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    OPEN,
    PAGE,
    SIGNATURE,
    VOTES,
    answer,
    changed,
    examine,
    files,
    in_tx,
    refuted,
    set_at,
    trust,
)

MESSAGE = b"what a member signs"


# ── RSA, made by `cryptography` ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class RsaKey:
    """Stands in for `signers.Key`. ChainMaker pads by PKCS #1 v1.5; SHA-256 stands in for SM3."""

    secret: rsa.RSAPrivateKey = field(repr=False)
    kind: str = "RSA"

    @property
    def public(self) -> bytes:
        return self.secret.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    @property
    def spki(self) -> bytes:
        return self.secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes, hash_name: str) -> bytes:
        del hash_name  # SHA-256, or SM3 for which the node takes SHA-256
        return self.secret.sign(message, padding.PKCS1v15(), hashes.SHA256())


@cache
def rsa_key(label: str, bits: int = 2048) -> Any:
    del label  # one key for each
    return RsaKey(rsa.generate_private_key(65537, bits))


class RsaNetwork(Network):
    """The demonstration chain with RSA keys. In public-key mode the node prints the key as PKCS #1 in a PEM block PUBLIC KEY."""

    bare = True

    def _key(self, label: str) -> Key:
        made: Key = rsa_key(f"{self.mode} {label}")
        return made

    def _signer(self, number: int, role: str) -> Signer:
        made = super()._signer(number, role)
        if self.mode == "public_key" and self.bare:
            return replace(made, info=pem("PUBLIC KEY", made.key.public))
        return made

    def profile(self, **changes: Any) -> dict[str, Any]:
        return super().profile(**{"suite": {"hash": self.hash_name, "signature": "RSA"}, **changes})


class FramedRsaNetwork(RsaNetwork):
    """The same with keys as SubjectPublicKeyInfo."""

    bare = False


@cache
def rsa_block(mode: str, suite: str = "P256", of: type[RsaNetwork] = RsaNetwork) -> Built:
    chain = of(suite=suite, mode=mode)
    digests = [chain.hash(d) for d in (b"0", PAGE, b"2")]
    return chain.block([chain.record(d, record_id=f"EV-{i}") for i, d in enumerate(digests)])


@pytest.mark.parametrize("of", [RsaNetwork, FramedRsaNetwork])
@pytest.mark.parametrize("suite", ["P256", "SM3-P256"])
@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_a_chain_with_rsa_keys(mode: str, suite: str, of: type[RsaNetwork]) -> None:
    block = rsa_block(mode, suite, of)
    verdict = examine(files(block), trust(block))
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.CONSISTENT, "B", ())


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_rsa_under_attack(mode: str) -> None:
    block = rsa_block(mode)
    store = trust(block)
    header = changed(block.block_json, lambda x: set_at("signature", flip=True)(x["block"]["header"]))
    refuted(examine({**files(block), "block.json": header}, store), INCL_HEADER=SIGNATURE)
    sender = changed(block.block_json, in_tx(set_at("sender", "signature", flip=True)))
    refuted(examine({**files(block), "block.json": sender}, store), INCL_SENDER=SIGNATURE)
    votes = changed(
        block.block_json,
        lambda x: set_at("additional_data", "extra_data", VOTES, flip=True)(x["block"]),
    )
    assert examine({**files(block), "block.json": votes}, store).overall is not Overall.CONSISTENT


def presented(signer: Signer, suite: Suite, *, known: tuple[bytes, ...] = ()) -> members.Member:
    return members.read(protobuf.parse(signer.member, MEMBER), Certificates(known), suite)


def test_padding_and_hash_of_rsa() -> None:
    own = rsa_key("padding")
    member = presented(Signer("o", 2, pem("PUBLIC KEY", own.public), own), Suite("SHA-256"))
    assert member.key == own.spki
    assert members.signed(member, own.sign(MESSAGE, "SHA-256"), MESSAGE, Suite("SHA-256"))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    for used, algorithm in ((pss, hashes.SHA256()), (padding.PKCS1v15(), hashes.SHA512())):
        assert not members.signed(member, own.secret.sign(MESSAGE, used, algorithm), MESSAGE, Suite("SHA-256"))
    assert not members.signed(member, b"", MESSAGE, Suite("SHA-256"))
    # the padding has no identifier for SHA3-256 in the node's library
    assert presented(Signer("o", 2, pem("PUBLIC KEY", own.public), own), Suite("SHA3-256")).reason is (
        Reason.UNSUPPORTED_FORMAT
    )


def test_a_weak_rsa_key_signs_nothing() -> None:
    """The node's own tool offers 512 and 1024 bits."""
    weak = rsa_key("weak", 1024)
    for data in (weak.public, weak.spki):
        found = presented(Signer("o", 2, pem("PUBLIC KEY", data), weak), Suite("SHA-256"))
        assert (found.key, found.reason) == (None, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    assert public_key.weakness(weak.spki) == "RSA 1024 bits"


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x01", b"\x30\x06\x02\x01\x00\x02\x01\x01", b"\x30" * 40])
def test_what_is_no_key(data: bytes) -> None:
    found = presented(Signer("o", 2, pem("PUBLIC KEY", data), key("P-256", "x")), Suite("SHA-256"))
    assert found.key is None
    assert found.reason is not None


# ── the hash is the certificate's own ─────────────────────────────────────────────────────────────────────────────────


def issued(subject: str, issuer: str) -> tuple[Signer, Certificate]:
    root = certificate(key(issuer, f"hash root {issuer}"), name="ca", org="o", unit="root-cert")
    own = key(subject, f"hash member {subject}")
    cert = certificate(own, name="m", org="o", unit="client", issuer=root)
    return Signer("o", 0, cert.pem, own, cert), cert


@pytest.mark.parametrize("chain", ["SHA-256", "SM3", "SHA3-256"])
@pytest.mark.parametrize(
    ("subject", "issuer", "used"),
    [("P-256", "P-256", "SHA-256"), ("SM2", "SM2", "SM3"), ("P-256", "SM2", "SM3"), ("SM2", "P-256", "SHA-256")],
)
def test_the_holder_of_a_certificate_signs_with_its_hash(subject: str, issuer: str, used: str, chain: str) -> None:
    """Whatever the chain's hash is. SM2 under a certificate that was signed with SHA-256 signs the bare digest."""
    signer, cert = issued(subject, issuer)
    suite = Suite(chain)
    member = presented(signer, suite)
    assert (member.hash, member.certificate) == (used, cert.der)
    for name in ("SHA-256", "SM3", "SHA3-256"):
        made = signer.key.sign(MESSAGE, name)
        assert members.signed(member, made, MESSAGE, suite) is (name == used)
    hashed = replace(signer, kind=1, info=suite.digest(cert.der))
    assert presented(hashed, suite, known=(cert.der,)) == member


@pytest.mark.parametrize("kind", ["P-256", "SM2"])
@pytest.mark.parametrize("chain", ["SHA-256", "SM3", "SHA3-256"])
def test_a_public_key_signs_with_the_hash_of_the_chain(kind: str, chain: str) -> None:
    """SM2: Z_A together with SM3 only; with SHA-256 and SHA3-256 the bare digest."""
    own = key(kind, "hash of the chain")
    member = presented(Signer("o", 2, pem("PUBLIC KEY", own.spki), own), Suite(chain))
    for name in ("SHA-256", "SM3", "SHA3-256"):
        assert members.signed(member, own.sign(MESSAGE, name), MESSAGE, Suite(chain)) is (name == chain)


def test_a_certificate_with_a_hash_no_node_can_compute() -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "m")])
    plan = x509.CertificateBuilder(name, name, own.public_key(), 7, BEGIN, END)
    data = plan.sign(own, hashes.SHA384()).public_bytes(Encoding.DER)
    found = presented(Signer("o", 0, pem("CERTIFICATE", data), key("P-256", "x")), Suite("SHA-256"))
    assert (found.key, found.reason) == (None, Reason.UNSUPPORTED_FORMAT)


def test_a_chain_of_one_hash_with_certificates_of_another() -> None:
    """A chain configured with SHA-256 whose certificates are SM2 with SM3, as the guomi tool of the node makes them."""
    chain = Network(suite="SHA256-SM2", mode="certificate")
    assert chain.client.certificate is not None and chain.client.certificate.signed_with == "SM3"
    block = chain.block([chain.record(chain.hash(PAGE), record_id="EV")])
    verdict = examine(
        {"page.html": PAGE, "block.json": block.block_json}, trust(block)
    )
    assert verdict.overall is Overall.CONSISTENT
    # in that mode a signature over the chain's hash is no signature
    forged = chain.client.key.sign(b"", "SHA-256")
    wrong = changed(block.block_json, lambda x: in_tx(set_at("sender", "signature", value=e64(forged)), 0)(x))
    assert answer(examine({"page.html": PAGE, "block.json": wrong}, trust(block)), "INCL.SENDER")[0] == FAILED


def test_open_is_open() -> None:
    """A pinned validator whose key cannot be used leaves the quorum open, never failed."""
    block = rsa_block("public_key")
    weak = rsa_key("weak", 1024)
    header = changed(
        block.block_json,
        lambda x: x["block"]["header"]["proposer"].update(member_info=e64(pem("PUBLIC KEY", weak.spki))),
    )
    verdict = examine({**files(block), "block.json": header}, trust(block))
    assert answer(verdict, "CHAINMAKER.PROPOSER") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)


def test_rsa_on_a_chain_whose_hash_it_cannot_sign() -> None:
    """PKCS #1 v1.5 of the node has no identifier for SHA3-256: such votes are of a kind that no node made."""
    block = rsa_block("public_key", "SHA3-P256")
    verdict = examine(files(block), trust(block))
    assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert answer(verdict, "INCL.SENDER") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE
