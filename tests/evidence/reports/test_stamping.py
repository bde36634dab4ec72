"""A time-stamping authority that is dead, slow, lying or revoked; keys that are missing, locked or expired.

The record is never held up by others, and never issued unsigned: each case ends with a signed report that says what is still
to come, or with a plain reason and no report.
"""

import datetime as dt
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper

from evidence.reports import checking, signatories, signing, stamping
from evidence.reports.keyring import SigningError
from portal.demonstration import authority

from .test_signing import sign

Answer = Callable[[BaseHTTPRequestHandler, bytes], bytes | None]


@pytest.fixture
def tsa(court_keys: Path) -> Iterator[Callable[[Answer], Path]]:
    """Starts a loopback authority that answers as it is told; gives the signing directory that names it."""
    servers: list[ThreadingHTTPServer] = []

    def started(answer: Answer) -> Path:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = answer(self, self.rfile.read(int(self.headers["Content-Length"])))
                if body is None:
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        (court_keys / "tsa.url").write_text(f"http://127.0.0.1:{server.server_port}/")
        return court_keys

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def local(keys: Path, *, fixed: dt.datetime | None = None) -> DummyTimeStamper:
    signer = SimpleSigner.load_pkcs12(keys / "tsa.p12", passphrase=(keys / "tsa.passphrase").read_bytes())
    return DummyTimeStamper(signer.signing_cert, signer.signing_key, certs_to_embed=signer.cert_registry, fixed_dt=fixed)


def stamped(request: bytes, by: DummyTimeStamper) -> bytes:
    import asyncio

    return bytes(asyncio.run(by.async_request_tsa_response(tsp.TimeStampReq.load(request))).dump())


def assert_signed_without_time(made: signing.Signed, keys: Path, *, says: str) -> None:
    assert made.level == "PAdES-B-B" and says in made.pending, made.pending
    assert [s.field for s in signatories.signatories(made.pdf)] == ["CourtSeal", "Clerk", "Judge"]
    assert checking.check(made.pdf, keys=keys, level=made.level) == []
    assert checking.check(made.pdf, keys=keys) == ["DocTS1: not filled"]


def test_an_honest_authority_over_http(unsigned: bytes, tsa: Callable[[Answer], Path], keys: Path) -> None:
    at = tsa(lambda _, request: stamped(request, local(keys)))
    made = sign(unsigned, at, clerk="clerk-r", judge="judge-r")
    assert (made.level, made.pending) == ("PAdES-B-LTA", "") and checking.check(made.pdf, keys=at) == []


def test_dead_then_alive_again(unsigned: bytes, court_keys: Path) -> None:
    """Signed at once without the time, upgraded when the authority is back; the bytes are extended, never changed."""
    (court_keys / "tsa.url").write_text("http://127.0.0.1:9/")
    made = sign(unsigned, court_keys, clerk="clerk-r", judge="judge-r")
    assert_signed_without_time(made, court_keys, says="did not answer: ConnectionRefused")
    with pytest.raises(SigningError, match="did not answer: ConnectionRefused"):
        signing.upgrade(made.pdf, keys=court_keys)
    (court_keys / "tsa.url").unlink()
    later = signing.upgrade(made.pdf, keys=court_keys)
    assert later.pdf.startswith(made.pdf) and later.level == "PAdES-B-LTA"
    assert checking.check(later.pdf, keys=court_keys) == []
    from evidence.reports import edition

    edition.conform(later.pdf)


def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """A byte now and then, for ever: within the limit of each read, beyond that of the whole."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    for _n in range(40):
        try:
            handler.wfile.write(b"0")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.25)


def test_slow(unsigned: bytes, tsa: Callable[[Answer], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamping, "SECONDS_MAX", 1)
    at = tsa(drip)
    began = time.monotonic()
    made = sign(unsigned, at, clerk="clerk-r", judge="judge-r")
    assert_signed_without_time(made, at, says="did not answer: no answer in time")
    assert time.monotonic() - began < 8


def redirected(to: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(307)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def test_a_redirect_is_not_followed(unsigned: bytes, tsa: Callable[[Answer], Path], keys: Path) -> None:
    """Only the address that the court wrote down is asked: an honest token from elsewhere is none."""
    asked: list[bytes] = []
    at = tsa(lambda _, request: asked.append(request) or stamped(request, local(keys)))  # type: ignore[func-returns-value]
    elsewhere = (at / "tsa.url").read_text()
    at = tsa(redirected(elsewhere))
    assert_signed_without_time(sign(unsigned, at, clerk="clerk-r", judge="judge-r"), at, says="redirects are not followed")
    assert asked == []


def test_an_endless_answer_is_cut_off(unsigned: bytes, tsa: Callable[[Answer], Path]) -> None:
    sent: list[int] = []

    def flood(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for n in range(1000):
            try:
                handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            except OSError:
                return
            sent.append(n)

    at = tsa(flood)
    assert_signed_without_time(sign(unsigned, at, clerk="clerk-r", judge="judge-r"), at, says="larger than allowed")
    assert len(sent) < 100


def test_another_nonce(unsigned: bytes, tsa: Callable[[Answer], Path], keys: Path) -> None:
    """A token of another question: right digest, right key, somebody else's number."""

    def answer(_: BaseHTTPRequestHandler, request: bytes) -> bytes:
        asked = tsp.TimeStampReq.load(request)
        asked["nonce"] = int(asked["nonce"].native) ^ 1
        return stamped(bytes(asked.dump(force=True)), local(keys))

    at = tsa(answer)
    assert_signed_without_time(sign(unsigned, at, clerk="clerk-r", judge="judge-r"), at, says="no usable answer")


def test_a_slow_authority_is_asked_once_for_a_report(unsigned: bytes, tsa: Callable[[Answer], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Five time-stamps were to be had; after the first silence nobody is asked any more."""
    monkeypatch.setattr(stamping, "SECONDS_MAX", 1)
    asked: list[bytes] = []

    def slow(handler: BaseHTTPRequestHandler, request: bytes) -> None:
        asked.append(request)
        drip(handler, request)

    at = tsa(slow)
    began = time.monotonic()
    made = sign(unsigned, at, clerk="clerk-r", judge="judge-r")
    assert made.unanswered and len(asked) == 1 and time.monotonic() - began < 6


def test_all_time_stamps_of_a_report_together_have_a_limit(unsigned: bytes, tsa: Callable[[Answer], Path], keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer in time, all of them too late."""
    monkeypatch.setattr(signing, "STAMPING_SECONDS_MAX", 0.5)

    def late(_: BaseHTTPRequestHandler, request: bytes) -> bytes:
        time.sleep(0.6)
        return stamped(request, local(keys))

    at = tsa(late)
    made = sign(unsigned, at, clerk="clerk-r", judge="judge-r")
    assert made.level == "PAdES-B-B" and "took more than" in made.pending
    assert checking.check(made.pdf, keys=at, level=made.level) == []


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "http://user:secret@127.0.0.1:9/", "127.0.0.1", "http:///x", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none(unsigned: bytes, court_keys: Path, url: str) -> None:
    (court_keys / "tsa.url").write_text(url)
    assert_signed_without_time(sign(unsigned, court_keys, clerk="clerk-r", judge="judge-r"), court_keys, says="is not an address")


LIES: dict[str, Callable[[bytes, Path], bytes]] = {
    "nonsense": lambda request, keys: b"<html>sign in</html>",
    "nothing": lambda request, keys: b"",
    "another-digest": lambda request, keys: stamped(_other_digest(request), local(keys)),
    "yesterday": lambda request, keys: stamped(request, local(keys, fixed=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))),
    "tomorrow": lambda request, keys: stamped(request, local(keys, fixed=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))),
    "flipped": lambda request, keys: _flipped(stamped(request, local(keys))),
}


def _other_digest(request: bytes) -> bytes:
    parsed = tsp.TimeStampReq.load(request)
    parsed["message_imprint"]["hashed_message"] = b"\x01" * 32
    return bytes(parsed.dump(force=True))


def _flipped(token: bytes) -> bytes:
    return token[:-20] + bytes([token[-20] ^ 1]) + token[-19:]


@pytest.mark.parametrize("lie", LIES)
def test_lying(unsigned: bytes, tsa: Callable[[Answer], Path], keys: Path, lie: str) -> None:
    """What it sends never enters a report."""
    at = tsa(lambda _, request: LIES[lie](request, keys))
    assert_signed_without_time(sign(unsigned, at, clerk="clerk-r", judge="judge-r"), at, says="the time-stamping authority")


def test_an_authority_under_another_root(unsigned: bytes, tsa: Callable[[Answer], Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    authority.ensure(other, at=dt.datetime.now(dt.UTC))
    at = tsa(lambda _, request: stamped(request, local(other)))
    assert_signed_without_time(sign(unsigned, at, clerk="clerk-r", judge="judge-r"), at, says="leads to no anchor")


def test_no_current_revocation_list(unsigned: bytes, court_keys: Path) -> None:
    """Signed and time-stamped, what shows the certificates not revoked comes later."""
    crl = court_keys / "crls" / "root.crl"
    kept = crl.read_bytes()
    crl.unlink()
    made = sign(unsigned, court_keys, clerk="clerk-r", judge="judge-r")
    assert made.level == "PAdES-B-T" and "not revoked" in made.pending
    assert checking.check(made.pdf, keys=court_keys, level=made.level) == []
    with pytest.raises(SigningError):
        signing.upgrade(made.pdf, keys=court_keys)
    crl.write_bytes(kept)
    later = signing.upgrade(made.pdf, keys=court_keys)
    assert later.pdf.startswith(made.pdf) and checking.check(later.pdf, keys=court_keys) == []


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def put(keys: Path, name: str, issued: authority.Issued, root: authority.Issued) -> None:
    sealed = BestAvailableEncryption((keys / f"{name}.passphrase").read_bytes())
    (keys / f"{name}.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"k", issued.key, issued.certificate, [root.certificate], sealed))


@pytest.mark.parametrize("name", ["seal", "people/clerk-r"])
def test_a_wrong_passphrase(unsigned: bytes, court_keys: Path, name: str) -> None:
    (court_keys / f"{name}.passphrase").write_text("wrong")
    with pytest.raises(SigningError, match="wrong passphrase"):
        sign(unsigned, court_keys, clerk="clerk-r")


def test_no_key_for_the_seal(unsigned: bytes, court_keys: Path) -> None:
    (court_keys / "seal.p12").unlink()
    with pytest.raises(SigningError, match="there is no file for the e-seal key"):
        sign(unsigned, court_keys)


def test_no_passphrase_file(unsigned: bytes, court_keys: Path) -> None:
    (court_keys / "people" / "clerk-r.passphrase").unlink()
    with pytest.raises(SigningError, match="key of clerk-r cannot be opened"):
        sign(unsigned, court_keys, clerk="clerk-r")


@pytest.mark.parametrize("name", ["seal", "people/clerk-r"])
def test_an_expired_certificate(unsigned: bytes, court_keys: Path, name: str) -> None:
    root = authority.root_of(court_keys)
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=366 * 11)
    old = authority.issue(root, common="old", at=long_ago)
    put(court_keys, name, old, root)
    if name != "seal":
        (court_keys / "people-certs" / "clerk-r.pem").write_bytes(old.certificate.public_bytes(Encoding.PEM))
    with pytest.raises(SigningError, match="expired on"):
        sign(unsigned, court_keys, clerk="clerk-r")


def test_a_key_that_belongs_to_somebody_else(unsigned: bytes, court_keys: Path) -> None:
    for suffix in (".p12", ".passphrase"):
        shutil.copy(court_keys / "people" / f"judge-r{suffix}", court_keys / "people" / f"clerk-r{suffix}")
    with pytest.raises(SigningError, match="does not belong to a certificate in people-certs/clerk-r.pem"):
        sign(unsigned, court_keys, clerk="clerk-r")


@pytest.mark.parametrize("other", ["clerk-r.wei", "clerk-r.2025"])
def test_a_name_that_begins_alike_lends_nobody_its_certificate(unsigned: bytes, court_keys: Path, other: str) -> None:
    """`clerk-r.wei` is another user, `clerk-r.2025` the clerk's former certificate: neither is the one to sign with."""
    for suffix in (".p12", ".passphrase"):
        shutil.copy(court_keys / "people" / f"judge-r{suffix}", court_keys / "people" / f"clerk-r{suffix}")
    shutil.copy(court_keys / "people-certs" / "judge-r.pem", court_keys / "people-certs" / f"{other}.pem")
    with pytest.raises(SigningError, match="does not belong to a certificate in people-certs/clerk-r.pem"):
        sign(unsigned, court_keys, clerk="clerk-r")


def test_a_person_without_a_certificate_on_file_signs_nothing(unsigned: bytes, court_keys: Path) -> None:
    (court_keys / "people-certs" / "clerk-r.pem").unlink()
    with pytest.raises(SigningError, match="does not belong to a certificate in people-certs/clerk-r.pem"):
        sign(unsigned, court_keys, clerk="clerk-r")


def test_a_revoked_person_signs_nothing_even_when_the_list_is_old(unsigned: bytes, court_keys: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    root = authority.root_of(court_keys)
    serial = x509.load_pem_x509_certificate((court_keys / "people-certs" / "clerk-r.pem").read_bytes()).serial_number
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=90)
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(old).build()
    issued = x509.CertificateRevocationListBuilder().issuer_name(root.certificate.subject).last_update(old)
    issued = issued.next_update(old + dt.timedelta(days=30)).add_revoked_certificate(entry)
    (court_keys / "crls" / "old.crl").write_bytes(issued.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER))
    with pytest.raises(SigningError, match="revoked"):
        sign(unsigned, court_keys, clerk="clerk-r")
