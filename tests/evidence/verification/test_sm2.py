"""SM2 verification against the standard's example, two independent implementations and attacks on encodings."""

import random
import subprocess
from pathlib import Path

import gmalg
import pytest

from evidence.verification import digests
from evidence.verification.keys import sm2, sm2_openssl


@pytest.fixture(autouse=True, params=["python", "openssl"])
def arithmetic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test twice: with Python's own arithmetic, and with the system's OpenSSL."""
    if request.param == "python":
        monkeypatch.setattr(sm2_openssl, "_library", lambda: None)
    elif sm2_openssl._library() is None:
        pytest.skip(f"NOT RUN: no {sm2_openssl.LIBRARY} with SM2 on this machine")


# GM/T 0003.5-2012 Annex A: the example on the recommended curve.
EXAMPLE_KEY = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
EXAMPLE_R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
EXAMPLE_S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
EXAMPLE_E = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
MESSAGE = b"message digest"


def der(r: int, s: int) -> bytes:
    """An encoder of its own: SEQUENCE of two minimal INTEGERs."""

    def integer(value: int) -> bytes:
        body = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return bytes([2, len(body)]) + body

    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def keypair(secret: int) -> tuple[gmalg.SM2, bytes]:
    sk = secret.to_bytes(32, "big")
    pk = gmalg.SM2(sk).generate_pk(sk)
    return gmalg.SM2(sk, sm2.DEFAULT_UID, pk), pk[-64:]


def test_the_standards_example() -> None:
    assert sm2.message_digest(EXAMPLE_KEY, MESSAGE).hex().upper() == EXAMPLE_E
    assert sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S), MESSAGE)
    assert sm2.verify(EXAMPLE_KEY, der(EXAMPLE_R, EXAMPLE_S), MESSAGE)
    assert sm2.verify_digest(EXAMPLE_KEY, EXAMPLE_R, EXAMPLE_S, bytes.fromhex(EXAMPLE_E))


def test_what_was_signed_is_all_of_it() -> None:
    assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S), b"message digesT")
    assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S), MESSAGE, uid=b"1234567812345679")
    assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S), MESSAGE, uid=b"")
    # The digest without the identity in it is another statement.
    assert not sm2.verify_digest(EXAMPLE_KEY, EXAMPLE_R, EXAMPLE_S, digests.digest("SM3", MESSAGE))


def test_against_an_independent_signer() -> None:
    rng = random.Random(20261122)
    secrets = [1, 2, 3, 5, 7, sm2.N - 2, *(rng.randrange(1, sm2.N - 1) for _ in range(12))]
    for secret in secrets:
        signer, public = keypair(secret)
        message = rng.randbytes(rng.randrange(0, 200))
        r, s = (int.from_bytes(v, "big") for v in signer.sign(message))
        assert sm2.verify(public, (r, s), message), secret
        assert sm2.verify(public, der(r, s), message)
        # The other implementation and ours agree on what is wrong, too.
        for wrong in ((r ^ 1, s), (r, s ^ (1 << rng.randrange(250)))):
            theirs = signer.verify(message, *(v.to_bytes(32, "big") for v in wrong))
            assert not theirs
            assert not sm2.verify(public, wrong, message)


def test_every_bit_of_a_signature_counts() -> None:
    for bit in range(256):
        assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R ^ (1 << bit), EXAMPLE_S), MESSAGE)
        assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S ^ (1 << bit)), MESSAGE)


def test_every_bit_of_the_key_counts() -> None:
    for bit in range(512):
        changed = (int.from_bytes(EXAMPLE_KEY, "big") ^ (1 << bit)).to_bytes(64, "big")
        assert not sm2.verify(changed, (EXAMPLE_R, EXAMPLE_S), MESSAGE)


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, EXAMPLE_S),
        (EXAMPLE_R, 0),
        (sm2.N, EXAMPLE_S),
        (EXAMPLE_R, sm2.N),
        (EXAMPLE_R + sm2.N, EXAMPLE_S),
        (EXAMPLE_R, EXAMPLE_S + sm2.N),
        (-EXAMPLE_R, EXAMPLE_S),
        (EXAMPLE_R, sm2.N - EXAMPLE_R),  # t = 0
        (EXAMPLE_S, EXAMPLE_R),
    ],
)
def test_values_out_of_range(r: int, s: int) -> None:
    assert not sm2.verify(EXAMPLE_KEY, (r, s), MESSAGE)
    assert not sm2.verify_digest(EXAMPLE_KEY, r, s, bytes.fromhex(EXAMPLE_E))


def test_t_of_zero_is_refused_even_where_the_equation_holds() -> None:
    # With t = 0 the key drops out: x of [s]G is known to anyone, so r can be chosen to fit.
    s = 12345
    r = sm2.N - s
    _, point = keypair(s)
    x1 = int.from_bytes(point[:32], "big")
    e = (r - x1) % sm2.N
    assert not sm2.verify_digest(EXAMPLE_KEY, r, s, e.to_bytes(32, "big"))


def test_keys_that_are_not_points() -> None:
    signature = (EXAMPLE_R, EXAMPLE_S)
    y = int.from_bytes(EXAMPLE_KEY[32:], "big")
    for key in (
        b"",
        bytes(64),
        EXAMPLE_KEY[:-1],
        b"\x04" + EXAMPLE_KEY,
        EXAMPLE_KEY[32:] + EXAMPLE_KEY[:32],
        EXAMPLE_KEY[:32] + (sm2.P - y).to_bytes(32, "big"),  # the mirrored point is another key
        EXAMPLE_KEY[:32] + ((y + 1) % sm2.P).to_bytes(32, "big"),
        b"\xff" * 64,
    ):
        assert not sm2.verify(key, signature, MESSAGE)


def test_a_coordinate_has_one_encoding() -> None:
    """x and x + p name the same point; only the reduced form is a key."""
    x = next(
        x for x in range(2, 1000) if pow((x**3 + sm2.A * x + sm2.B) % sm2.P, (sm2.P - 1) // 2, sm2.P) == 1
    )
    y = pow((x**3 + sm2.A * x + sm2.B) % sm2.P, (sm2.P + 1) // 4, sm2.P)
    # For this key a signature can be made without its secret by choosing s and t first and the digest last.
    s, t = 1111, 2222
    reduced = x.to_bytes(32, "big") + y.to_bytes(32, "big")
    x1 = affine_x(sm2._two_multiples(s, t, (x, y, 1)))
    r = (t - s) % sm2.N
    e = ((r - x1) % sm2.N).to_bytes(32, "big")
    assert sm2.verify_digest(reduced, r, s, e)
    assert not sm2.verify_digest((x + sm2.P).to_bytes(32, "big") + reduced[32:], r, s, e)


def affine_x(point: tuple[int, int, int]) -> int:
    return point[0] * pow(point[2], -2, sm2.P) % sm2.P


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        der(EXAMPLE_R, EXAMPLE_S) + b"\x00",
        der(EXAMPLE_R, EXAMPLE_S)[:-1],
        b"\x30\x81" + der(EXAMPLE_R, EXAMPLE_S)[1:],  # long form where the short one is due
        b"\x30\x80" + der(EXAMPLE_R, EXAMPLE_S)[2:] + b"\x00\x00",  # indefinite length
        b"\x31" + der(EXAMPLE_R, EXAMPLE_S)[1:],
        der(EXAMPLE_R, EXAMPLE_S).replace(b"\x02\x21\x00", b"\x02\x22\x00\x00", 1),  # padded integer
        der(EXAMPLE_R, EXAMPLE_S).replace(b"\x02\x21\x00", b"\x02\x20", 1),  # negative integer
        EXAMPLE_R.to_bytes(32, "big") + EXAMPLE_S.to_bytes(32, "big"),  # raw, where DER is due
        b"0" * 5000,
    ],
)
def test_only_one_der_encoding(signature: bytes) -> None:
    assert not sm2.verify(EXAMPLE_KEY, signature, MESSAGE)


def test_identifier_longer_than_its_length_field() -> None:
    assert not sm2.verify(EXAMPLE_KEY, (EXAMPLE_R, EXAMPLE_S), MESSAGE, uid=bytes(8192))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_digest_has_32_bytes(length: int) -> None:
    assert not sm2.verify_digest(EXAMPLE_KEY, EXAMPLE_R, EXAMPLE_S, bytes(length))


def test_group_law_where_formulas_have_gaps() -> None:
    """[s]G + [t]G passes through doubling and the point at infinity; compared with one plain multiplication."""
    generator = (sm2.GX, sm2.GY, 1)
    for s, t in ((1, 1), (2, 2), (5, sm2.N - 5), (sm2.N - 1, 1), (7, sm2.N - 3), (31, 31), (1 << 200, sm2.N - 2)):
        total = sm2._two_multiples(s, t, generator)
        expected = (s + t) % sm2.N
        if expected == 0:
            assert total[2] == 0
        else:
            _, point = keypair(expected)
            assert affine_x(total) == int.from_bytes(point[:32], "big"), (s, t)


@pytest.mark.needs("openssl")
def test_openssl_agrees(tmp_path: Path) -> None:
    key, message, signature = tmp_path / "key.pem", tmp_path / "message", tmp_path / "signature"
    run = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", str(key)]
    subprocess.run(run, check=True, capture_output=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout[-64:]
    for number, uid in enumerate((b"1234567812345678", b"ALICE123@YAHOO.COM", b"x")):
        message.write_bytes(b"evidence %d" % number)
        options = ["-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{uid.decode()}", "-in", str(message)]
        subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-inkey", str(key), *options, "-out", str(signature)],
            check=True,
            capture_output=True,
        )
        made = signature.read_bytes()
        assert sm2.verify(public, made, message.read_bytes(), uid=uid)
        assert not sm2.verify(public, made, message.read_bytes() + b" ", uid=uid)
        assert not sm2.verify(public, made, message.read_bytes(), uid=uid + b"1")


def test_both_ways_give_the_same_answers(arithmetic: None) -> None:
    """Right and wrong signatures, and numbers at the edges of what the standard allows, over digests of every shape."""
    library = sm2_openssl._library()
    if library is None:
        return  # this run asks Python alone; the other one compares
    rng = random.Random(5)
    edges = (1, 2, sm2.N - 1, sm2.N - 2, sm2.N // 2, (sm2.N + 1) // 2, 1 << 255, (1 << 248) - 1)
    answers = []
    for secret in (1, 2, sm2.N - 2, *(rng.randrange(1, sm2.N - 1) for _ in range(12))):
        signer, public = keypair(secret)
        point = sm2._point(public)
        assert point is not None
        message = rng.randbytes(40)
        r, s = (int.from_bytes(v, "big") for v in signer.sign(message))
        e = sm2.message_digest(public, message)
        cases = [(r, s, e), (s, r, e), (r, s, bytes(32)), (r, s, b"\xff" * 32), (r, sm2.N - s, e), (sm2.N - r, r, e)]
        cases += [(rng.choice(edges), rng.choice(edges), rng.choice((e, bytes(32), b"\xff" * 32))) for _ in range(12)]
        for case in cases:
            ours, theirs = sm2._holds(point, *case), sm2_openssl._verify(library, public, *case)
            assert ours == theirs, (secret, case)
            answers.append(ours)
    assert answers.count(True) >= 15
    assert answers.count(False) >= 200


@pytest.mark.parametrize("broken", ["missing", "hashes again", "always yes"])
def test_a_library_that_answers_otherwise_is_not_used(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = sm2_openssl._library.__wrapped__ if hasattr(sm2_openssl._library, "__wrapped__") else None
    if choose is None:
        return  # replaced for this run
    if broken == "missing":
        monkeypatch.setattr(sm2_openssl, "LIBRARY", "libnone.so.0")
    else:
        monkeypatch.setattr(sm2_openssl, "_verify", lambda *_: broken == "always yes")
    assert choose() is None
