"""Platform certificates in JSON. No public certificate carries a proof, so none may ever pass; the synthetic ones here follow
the field tables of spec consortium-chains §10.2.
"""

import hashlib
import json
import random
from typing import Any

import pytest

from evidence.verification import Source
from evidence.verification.certificates import platform_json, printed_time, statement
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Overall, ProofState
from tests.evidence.verification.fisco3_exhibits import (
    OTHER,
    PAGE,
    answer,
    built,
    examine,
    files,
    finding,
    findings,
    trust,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
SHA256 = hashlib.sha256(PAGE).hexdigest()
SM3 = hashlib.new("sm3", PAGE).hexdigest()
TX = "0x" + "ab" * 32

GENERIC = {
    "存证编号": "CZ-2026-0001",
    "文件名": "page.html",
    "哈希算法": "SHA-256",
    "文件哈希": SHA256,
    "交易哈希": TX,
    "区块高度": 1204,
    "上链时间": "2026-03-01 09:30:00 +08:00",
}
CERTIFICATES: dict[str, dict[str, Any]] = {
    "generic": GENERIC,
    "generic-en": {
        "certificate_no": "C1", "fileName": "page.html", "hashAlgorithm": "sha256", "fileHash": SHA256, "txHash": TX,
        "blockHeight": "1204", "timestamp": "2026-03-01T01:30:00Z",
    },
    "zxchain": {
        "retCode": 0, "retMsg": "ok", "data": {"txId": TX[2:], "blockHeight": 1204, "txTime": 1772328600000},
    },
    "btoe": {
        "Response": {
            "EvidenceId": "E1", "EvidenceName": "page.html", "EvidenceHash": SM3, "HashType": 0, "EvidenceTxHash": TX,
            "EvidenceTime": "2026-03-01 09:30:00", "BlockchainHeight": 1204, "RequestId": "r",
        }
    },
    "tbaas": {
        "Code": 0, "CodeMessage": "SUCCESS", "TxId": TX[2:], "BlockHeight": 1204, "Timestamp": 1772328600, "GasUsed": 1,
    },
    "baidu-xuper": {
        "txid": TX[2:], "file_hash": SHA256, "blockid": "cd" * 32, "create_time": 1772328600,
        "cert_url": "https://xuper.baidu.com/cert/1.pdf", "cross_data": {"bh_txid": "b1"},
    },
    "huawei-dac": {
        "tx_id": TX[2:], "ev_id": "E1", "file_hash": SM3, "block_hash": "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
        "block_height": 1204, "create_time": 1772328600000, "user_addr": "u",
    },
    "antchain-bccr": {
        "tx_hash": TX, "hash": SHA256, "block_height": 1204, "timestamp": 1772328600000, "tsr": "x",
        "certificate_url": "https://example.cn/c", "package_tx_hash": "ef" * 32, "certificate_storage_no": "S1",
    },
}  # fmt: skip


def certificate(value: Any, **more: bytes) -> dict[str, bytes]:
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return {"page.html": PAGE, "certificate.json": data, **more}


def with_(**changes: Any) -> dict[str, Any]:
    changed = {**GENERIC, **changes}
    return {k: v for k, v in changed.items() if v is not ...}


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CERTIFICATES)
def test_every_dialect_is_read_and_stays_a_statement(name: str) -> None:
    value = CERTIFICATES[name]
    verdict = examine(certificate(value), trust(None))
    assert {s.name: s.format for s in verdict.sources}["certificate.json"] == "platform-certificate"
    assert answer(verdict, "CERT.READ") == (PASSED, None)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    claim = statement.read(value, source="c").claim
    assert claim.tx_id is not None and claim.tx_id.removeprefix("0x") == "ab" * 32
    assert claim.platform == (None if name.startswith("generic") else name)
    assert claim.block_height == (None if name == "baidu-xuper" else 1204)
    if name in ("zxchain", "tbaas"):
        assert answer(verdict, "DIGEST.MATCH") == (OPEN, Reason.NO_DIGEST)
    else:
        assert answer(verdict, "DIGEST.MATCH") == (PASSED, None)
        walk = next(w for w in verdict.walks if w.file)
        assert walk.state is ProofState.ASSERTED and not walk.complete
        assert verdict.reasons == (Reason.PLATFORM_ASSERTION_ONLY,)
    assert answer(verdict, "CERT.FIELDS") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    online = finding(verdict, "INCL.ONLINE")
    assert online.reason is Reason.NETWORK_REQUIRED and online.bearing is Bearing.ADVISORY


def test_documented_units_and_codes() -> None:
    assert statement.read(CERTIFICATES["btoe"], source="c").claim.files[0].alg == "SM3"
    assert statement.read(CERTIFICATES["huawei-dac"], source="c").claim.files[0].alg == "SM3"
    assert statement.read(CERTIFICATES["huawei-dac"], source="c").claim.block_hash == b"\xab" * 32
    assert statement.read(CERTIFICATES["baidu-xuper"], source="c").claim.block_hash == b"\xcd" * 32
    for name in ("zxchain", "tbaas", "huawei-dac"):
        time = statement.read(CERTIFICATES[name], source="c").claim.time
        assert time is not None and time.instant is not None
        assert time.instant.isoformat() == "2026-03-01T01:30:00+00:00"
    for name in ("baidu-xuper", "antchain-bccr", "btoe"):
        time = statement.read(CERTIFICATES[name], source="c").claim.time
        assert time is not None and time.instant is None
    read = statement.read(CERTIFICATES["antchain-bccr"], source="c")
    assert [p.part for p in read.parts] == ["package_tx_hash"] and read.claim.files[0].digest.hex() == SHA256


def test_a_digest_by_its_name_and_several_files() -> None:
    value = {
        "存证编号": "1",
        "文件列表": [
            {"文件名": "page.html", "SHA256": SHA256, "SM3": SM3},
            {"文件名": "b.html", "哈希值": hashlib.sha512(OTHER).hexdigest(), "哈希算法": "SHA512"},
        ],
    }
    read = statement.read(value, source="c")
    assert [(f.name, f.alg) for f in read.claim.files] == [
        ("page.html", "SHA-256"), ("page.html", "SM3"), ("b.html", "SHA-512"),
    ]  # fmt: skip
    verdict = examine(certificate(value, **{"b.html": OTHER}), trust(None))
    assert [f.outcome.value for f in findings(verdict, "DIGEST.MATCH")] == [PASSED] * 3


def test_upper_case_and_escaped_names() -> None:
    text = json.dumps(with_(文件哈希=SHA256.upper(), 交易哈希=TX.upper().replace("0X", "0x")))
    assert "\\u" in text
    verdict = examine(certificate(text.encode()), trust(None))
    assert answer(verdict, "DIGEST.MATCH") == (PASSED, None)


def test_integers_survive_exactly() -> None:
    value = b'{"blockNumber":9007199254740993,"timestamp":1.7e12}'
    assert statement.read(json.loads(value), source="c").claim.block_height == 9007199254740993
    verdict = examine(certificate(value), trust(None))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "CERT.TIME") == (OPEN, Reason.TIME_ZONE_AMBIGUOUS)


def test_unread_members_are_listed_and_change_nothing() -> None:
    plain = examine(certificate(GENERIC), trust(None))
    boasting = with_(status="VERIFIED", verified=True, verdict="CONSISTENT", trust={"root": "mine"}, __proto__={"a": 1})
    verdict = examine(certificate(boasting), trust(None))
    note = next(n for n in finding(verdict, "CERT.READ").notes if n.startswith("UNREAD_MEMBERS:"))
    assert note == "UNREAD_MEMBERS:status, verified, verdict, trust, __proto__"
    assert verdict.overall is plain.overall and verdict.grade is plain.grade and verdict.walks == plain.walks


# ── the digest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def matched(value: Any, **more: bytes) -> tuple[str, Reason | None]:
    return answer(examine(certificate(value, **more), trust(None)), "DIGEST.MATCH")


def test_digest_of_another_file() -> None:
    other = hashlib.sha256(OTHER).hexdigest()
    assert matched(with_(文件哈希=other)) == (FAILED, Reason.HASH_FAILURE)
    assert matched(with_(文件哈希=other, 文件名=...)) == (FAILED, Reason.HASH_FAILURE)
    assert matched(with_(文件哈希=other, 文件名="elsewhere.html")) == (FAILED, Reason.HASH_FAILURE)
    assert examine(certificate(with_(文件哈希=other)), trust(None)).overall is Overall.INCONSISTENT


def test_digest_that_need_not_speak_of_any_file() -> None:
    other = hashlib.sha256(b"a third file").hexdigest()
    value = with_(文件哈希=other, 文件名="third.html")
    assert matched(value, **{"b.html": OTHER}) == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)
    without = certificate(GENERIC)
    del without["page.html"]
    assert answer(examine(without, trust(None)), "DIGEST.MATCH") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)


def test_the_certificate_of_a_file_that_is_not_here_refutes_no_other_file() -> None:
    second = with_(文件名="b.html", 文件哈希=hashlib.sha256(OTHER).hexdigest(), 存证编号="2")
    verdict = examine(certificate(GENERIC, **{"second.json": json.dumps(second).encode()}), trust(None))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "DIGEST.MATCH") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)


def test_a_renamed_file_is_found_by_its_digest() -> None:
    assert matched(with_(文件名="before.html"), **{"b.html": OTHER}) == (PASSED, None)
    swapped = {"page.html": OTHER, "b.html": PAGE, "certificate.json": json.dumps(GENERIC).encode()}
    assert answer(examine(swapped, trust(None)), "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)


def test_two_digests_of_one_object_speak_of_one_file() -> None:
    value = {"存证编号": "1", "文件": [{"SHA256": SHA256, "SM3": hashlib.new("sm3", OTHER).hexdigest()}]}
    assert matched(value) == (FAILED, Reason.HASH_FAILURE)
    # A bare hash beside the file's is the record's own.
    assert matched(with_(hash="12" * 32)) == (PASSED, None)


@pytest.mark.parametrize("named", ["SM3", "SHA3-256", "国密SM3"])
def test_named_algorithm_and_the_one_that_matches(named: str) -> None:
    assert matched(with_(哈希算法=named)) == (FAILED, Reason.CERT_FIELDS_CONFLICT)


def test_unnamed_algorithm_is_tried() -> None:
    for digest in (SHA256, SM3, hashlib.sha3_256(PAGE).hexdigest(), hashlib.sha384(PAGE).hexdigest(), hashlib.sha512(PAGE).hexdigest()):
        assert matched(with_(哈希算法=..., 文件哈希=digest)) == (PASSED, None)


def test_algorithm_that_is_not_ours() -> None:
    assert matched(with_(哈希算法="BLAKE3", 文件哈希="12" * 32)) == (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)
    assert matched(with_(哈希算法="BLAKE3")) == (FAILED, Reason.CERT_FIELDS_CONFLICT)


@pytest.mark.parametrize(("name", "make"), [("MD5", hashlib.md5), ("SHA-1", hashlib.sha1)])
def test_broken_algorithms_never_pass(name: str, make: Any) -> None:
    for algorithm in (name, ...):
        assert matched(with_(哈希算法=algorithm, 文件哈希=make(PAGE).hexdigest())) == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
        assert matched(with_(哈希算法=algorithm, 文件哈希=make(OTHER).hexdigest())) == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("SHA-256", SHA256[:-2]), ("SHA-512", SHA256), ("SM3", SHA256 + "00"), ("MD5", SHA256), ("SHA-256", ""), ("SHA-256", "zz")],
)  # fmt: skip
def test_digest_length_must_fit(algorithm: str, digest: str) -> None:
    verdict = examine(certificate(with_(哈希算法=algorithm, 文件哈希=digest)), trust(None))
    if digest:
        assert answer(verdict, "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)
    assert verdict.overall is not Overall.CONSISTENT


# ── conflicts, times, hosts ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_certificate_that_contradicts_itself() -> None:
    for changes in ({"txHash": "0x" + "cd" * 32}, {"blockHeight": 1205}, {"证书编号": "CZ-2026-0002"}):
        verdict = examine(certificate(with_(**changes)), trust(None))
        assert answer(verdict, "CERT.FIELDS") == (FAILED, Reason.CERT_FIELDS_CONFLICT)
        assert verdict.overall is Overall.INCONSISTENT
    same = examine(certificate(with_(txHash=TX[2:], blockHeight="1204")), trust(None))
    assert answer(same, "CERT.FIELDS") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-01 09:30:00 +08:00", (PASSED, None)),
        ("2026-03-01T01:30:00.5Z", (PASSED, None)),
        ("2026年3月1日 09:30:00（北京时间）", (PASSED, None)),
        ("2026-03-01 09:30:00", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("2026-03-01 09:30:00 CST", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("2026-02-30 09:30:00 +08:00", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("0001-01-01 00:00:00 +08:00", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        (1772328600, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        (1772328600000, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("soon", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ({"a": 1}, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("2099-01-01 00:00:00Z", (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)),
    ],
)
def test_times(time: Any, expected: tuple[str, Reason | None]) -> None:
    assert answer(examine(certificate(with_(上链时间=time)), trust(None)), "CERT.TIME") == expected


def test_order_of_times() -> None:
    in_order = with_(取证时间="2026-03-01 09:00:00 +08:00", 出证时间="2026-03-02 09:00:00 +08:00")
    assert answer(examine(certificate(in_order), trust(None)), "CERT.TIME") == (PASSED, None)
    out_of_order = with_(取证时间="2026-03-05 09:00:00 +08:00")
    assert answer(examine(certificate(out_of_order), trust(None)), "CERT.TIME") == (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)
    none = examine(certificate(with_(上链时间=...)), trust(None))
    assert not findings(none, "CERT.TIME")


def test_numbers_are_times_only_where_the_unit_is_documented() -> None:
    assert printed_time.read("1772328600", unit="digits") == printed_time.read(1772328600, unit="s")
    for value, unit in (("177232860", "digits"), ("1772328600", None), ("1" * 30, "ns"), (10**19, "s")):
        read = printed_time.read(value, unit=unit)
        assert read is not None and read.instant is None
    assert printed_time.read(None, unit="s") is None and printed_time.read(True, unit="s") is None


PLATFORM = {"id": "p", "title": {"zh": "平台", "en": "Platform"}, "operator": "o", "hosts": ["check.example.cn"]}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://check.example.cn/q?id=1", (PASSED, None)),
        ("http://check.example.cn", (PASSED, None)),
        ("https://check.example.cn:8443/a#b", (PASSED, None)),
        ("https://check-example.cn/q", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://check.example.cn.evil.com/", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://check.example.cn@evil.com/", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://evil.com\\@check.example.cn/", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://check.example.cn\\.evil.com/", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://check.exampIe.cn/", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("https://сheck.example.cn/", (OPEN, Reason.CERT_HOST_MISMATCH)),  # Cyrillic с
        ("javascript:alert(1)", (OPEN, Reason.CERT_HOST_MISMATCH)),
        ("file:///etc/passwd", (OPEN, Reason.CERT_HOST_MISMATCH)),
    ],
)
def test_hosts(address: str, expected: tuple[str, Reason | None], tmp_path: Any) -> None:
    from evidence.verification import TrustStore
    from tests.anchor_packs import write_pack

    store = TrustStore.load(write_pack(tmp_path, platforms=[PLATFORM]))
    verdict = examine(certificate(with_(核验网址=address)), store)
    assert answer(verdict, "CERT.HOST") == expected
    assert finding(verdict, "CERT.HOST").bearing is Bearing.ADVISORY
    unlisted = examine(certificate(with_(核验网址=address)), trust(None))
    assert answer(unlisted, "CERT.HOST") == (OPEN, Reason.PLATFORM_NOT_IN_POLICY)


# ── beside a chain's own proof ─────────────────────────────────────────────────────────────────────────────────────────


def beside_a_proof(**changes: Any) -> dict[str, bytes]:
    chain = built()
    recorded = {"上链时间": "2026-09-21 22:13:20 +08:00", **changes}
    value = with_(交易哈希=chain.tx_hash, 区块高度=1204, 区块哈希=chain.block["hash"], **recorded)
    return {**files(chain), "certificate.json": json.dumps(value).encode()}


def test_a_certificate_that_agrees_with_the_proof() -> None:
    verdict = examine(beside_a_proof(), trust(built()))
    assert verdict.overall is Overall.CONSISTENT and verdict.grade.value == "B"
    assert answer(verdict, "CERT.FIELDS") == (PASSED, None)


@pytest.mark.parametrize(
    "changes",
    [{"区块高度": 1205}, {"区块哈希": "0x" + "12" * 32}, {"交易哈希": "0x" + "12" * 32}],
)
def test_a_certificate_that_contradicts_the_proof(changes: dict[str, Any]) -> None:
    chain = built()
    value = {**with_(交易哈希=chain.tx_hash, 区块高度=1204, 区块哈希=chain.block["hash"]), **changes}
    verdict = examine({**files(chain), "certificate.json": json.dumps(value).encode()}, trust(chain))
    assert answer(verdict, "CERT.FIELDS") == (FAILED, Reason.CERT_FIELDS_CONFLICT)
    assert verdict.overall is Overall.INCONSISTENT


def test_certificate_of_one_file_with_the_proof_of_another() -> None:
    chain = built()
    given = {**chain.files(1), "b.html": OTHER, **certificate(GENERIC)}
    verdict = examine(given, trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert [w.complete for w in verdict.walks if w.file == SHA256] == [False]


# ── hostile bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        b'{"txHash":"ab","blockHeight":NaN}',
        b'{"txHash":"ab","txHash":"cd","blockHeight":1}',
        b'{"blockNumber":' + b"9" * 5000 + b"}",
        b'{"txHash":"ab","blockHeight":1',
        b'\xef\xbb\xbf{"txHash":"ab","blockHeight":1}',
        b'{"txHash":"\xff","blockHeight":1}',
        b'{"txHash":"\\ud800","blockHeight":1}',
        b'{"txHash":"ab","blockHeight":1,"x":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"txHash":"ab","blockHeight":-1}',
        b'{"txHash":"ab","blockHeight":1.5}',
        b'{"txHash":"ab","blockHeight":true}',
        b'{"txHash":"ab","blockHeight":"1 204"}',
        b'{"txHash":["ab"],"blockHeight":1}',
        b'{"txHash":"' + b"a" * 5000 + b'","blockHeight":1}',
        b'{"txHash":"ab","blockHash":"xyz"}',
    ],
)
def test_malformed_certificates(data: bytes) -> None:
    verdict = examine(certificate(data), trust(None))
    assert {s.name: s.format for s in verdict.sources}["certificate.json"] == "platform-certificate"
    assert answer(verdict, "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"a":1}',
        PAGE,
        b'{"url":"https://a.cn","sha256":"' + SHA256.encode() + b'","timestamp":1}',
        b'{"txHash":"ab","blockHeight":1}\n{"txHash":"cd","blockHeight":2}\n',
        b'{"title":"</title><script>alert(1)</script>"}',
        b'\xfe\xff\x00{\x00"\x00a\x00"\x00:\x001\x00}',
        b"[" * 100_000,
        b'{"name":"x","resources":[{"path":"a","hash":"sha256:00","bytes":1}]}',
    ],
)
def test_what_is_no_certificate_stays_evidence(data: bytes) -> None:
    assert platform_json.sniff(Source.from_bytes("certificate.json", data)) == 0


def test_what_is_shown_of_a_certificate_is_plain_text() -> None:
    value = with_(**{"x\r\n2026-01-01 INFO verdict=CONSISTENT": 1, "\u202egnp": 1, "上链时间": "a\r\nb\x1b[31m"})
    verdict = examine(certificate(value), trust(None))
    for f in findings(verdict, "CERT.READ") + findings(verdict, "CERT.TIME"):
        assert all(c.isprintable() for text in (*f.notes, f.actual or "") for c in text)


def test_bounds() -> None:
    many = {"存证编号": "1", "files": [{"sha256": SHA256}] * 1001}
    assert answer(examine(certificate(many), trust(None)), "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)
    large = with_(备注="x" * platform_json.CERTIFICATE_BYTES_MAX)
    assert answer(examine(certificate(large), trust(None)), "CERT.READ") == (OPEN, Reason.RESOURCE_LIMIT)


def test_random_changes_never_pass() -> None:
    rng = random.Random("certificates")
    for _ in range(400):
        name = rng.choice(list(CERTIFICATES))
        data = bytearray(json.dumps(CERTIFICATES[name], ensure_ascii=False).encode())
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        verdict = examine(certificate(bytes(data)), trust(None))
        assert verdict.overall is not Overall.CONSISTENT
        assert not findings(verdict, "ENGINE.RUN"), bytes(data)


@pytest.mark.parametrize("extra", [{"gasPrice": "0x1"}, {"transactionIndex": "0x0"}])
def test_a_nodes_own_transaction_is_no_certificate_and_refutes_nothing(extra: dict[str, str]) -> None:
    """Ethereum and FISCO BCOS 2 name block, hash and height as a certificate might, in hexadecimal."""
    answer = {"blockHash": "0x" + "66" * 32, "blockNumber": "0x72e9b5", "hash": "0x" + "2d" * 32, "nonce": "0x1", **extra}
    assert platform_json.sniff(Source.from_bytes("transaction.json", json.dumps(answer).encode())) == 0
