"""Keys in a token (PKCS#11), with SoftHSM in the place of the court's own: they sign and never leave it."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.reports import checking, edition, keyring
from evidence.reports.keyring import SigningError
from portal.demonstration import authority

from .test_signing import sign

pytestmark = pytest.mark.needs("softhsm2-util")
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


@pytest.fixture(scope="session")
def tokened(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signing directory whose e-seal, of a certificate of its own, lies in a token made for the run.

    The key is made inside the token and marked as not to be taken out; only its public half is read, to issue the certificate.
    """
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

    place = tmp_path_factory.mktemp("token")
    directory = place / "keys"
    shutil.copytree(keys, directory)
    (place / "tokens").mkdir()
    (place / "softhsm2.conf").write_text(f"directories.tokendir = {place / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(place / "softhsm2.conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "court", "--so-pin", "000000", "--pin", "123456"]
    subprocess.run(command, check=True, capture_output=True)
    library = pkcs11.lib(MODULE)
    with library.get_token(token_label="court").open(rw=True, user_pin="123456") as session:
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        public, _ = curve.generate_keypair(
            store=True, label="seal", private_template={pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
        )
        issued = authority.certify(
            authority.root_of(directory), load_der_public_key(encode_ec_public_key(public)), common="印章 TOKEN E-SEAL", at=datetime.now(UTC)
        )
        der = issued.public_bytes(Encoding.DER)
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE, pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True, pkcs11.Attribute.LABEL: "seal", pkcs11.Attribute.VALUE: der,
                pkcs11.Attribute.SUBJECT: issued.subject.public_bytes(), pkcs11.Attribute.ID: b"\x01",
            }
        )  # fmt: skip
    for name in ("seal.p12", "seal.passphrase"):
        (directory / name).unlink()
    (directory / "seals" / "token.pem").write_bytes(issued.public_bytes(Encoding.PEM))
    (directory / "seal.pin").write_text("123456\n")
    configure(directory)
    return directory


def configure(directory: Path, **changed: str) -> None:
    asked = {"module": MODULE, "token": "court", "certificate": "seal", "key": "seal", "pin_file": "seal.pin"} | changed
    (directory / "seal.pkcs11.json").write_text(json.dumps(asked))


@pytest.fixture
def spoilt(tokened: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "spoilt"
    shutil.copytree(tokened, copied)
    return copied


def test_a_report_sealed_in_the_token_and_signed_by_people(unsigned: bytes, tokened: Path) -> None:
    made = sign(unsigned, tokened, clerk="clerk-r", judge="judge-r")
    assert made.level == "PAdES-B-LTA" and checking.check(made.pdf, keys=tokened) == []
    assert "TOKEN E-SEAL" in checking.examine(made.pdf, anchors=tokened).sealed_by
    edition.conform(made.pdf)


def test_the_session_stays_open(unsigned: bytes, tokened: Path) -> None:
    """To see it fail: take the cache from `keyring._opened`."""
    first = keyring.opened(tokened, "seal", "the e-seal key")
    assert sign(unsigned, tokened).level == "PAdES-B-LTA"
    assert keyring.opened(tokened, "seal", "the e-seal key") is first


def test_the_key_cannot_be_taken_out(tokened: Path) -> None:
    import pkcs11

    signer = keyring.opened(tokened, "seal", "the e-seal key")
    with pytest.raises(pkcs11.PKCS11Error):
        signer._key_handle[pkcs11.Attribute.VALUE]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"token": "another"}, "NoSuchToken|No token"),
        ({"key": "another"}, "cannot be opened in its token"),
        ({"certificate": "another"}, "cannot be opened in its token|no certificate"),
        ({"module": "/nowhere.so"}, "cannot be opened in its token"),
        ({"pin_file": "absent.pin"}, "cannot be opened"),
        ({"slot": "1"}, "not as docs/install.md says"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_signed(unsigned: bytes, spoilt: Path, changed: dict[str, str], says: str) -> None:
    configure(spoilt, **changed)
    with pytest.raises(SigningError, match=says):
        sign(unsigned, spoilt)


def test_a_wrong_pin(unsigned: bytes, spoilt: Path) -> None:
    """As after a start: a token that is open for this process asks for no PIN again."""
    keyring.close()
    (spoilt / "seal.pin").write_text("999999")
    code = (
        "import sys; from pathlib import Path; from evidence.reports import keyring\n"
        "try: keyring.opened(Path(sys.argv[1]), 'seal', 'the e-seal key')\n"
        "except keyring.SigningError as fault: print(fault)"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", code, str(spoilt)], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert "wrong PIN" in done.stdout, done.stdout + done.stderr
