"""Every form of every platform, and what goes wrong with them. Synthetic: see `platform_statements`."""

import json
import random
from typing import Any

import pytest

from evidence.verification import Source
from evidence.verification.certificates import platform_json, platforms, statement
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Overall, Verdict
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
from tests.evidence.verification.platform_statements import (
    BLOCK,
    MILLISECONDS,
    SECONDS,
    SHA256,
    SM3,
    STATEMENTS,
    TX,
    Stated,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"


def exhibit(*values: Any, page: bytes | None = PAGE, **more: bytes) -> dict[str, bytes]:
    given = {"page.html": page} if page is not None else {}
    for number, value in enumerate(values):
        given[f"certificate-{number}.json"] = json.dumps(value, ensure_ascii=False).encode()
    return {**given, **more}


def judged(*values: Any, **more: Any) -> Verdict:
    return examine(exhibit(*values, **more), trust(None))


def notes(verdict: Verdict, check: str) -> list[str]:
    return [n.partition(":")[0] for f in findings(verdict, check) for n in f.notes]


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_a_form_states(name: str) -> None:
    stated = STATEMENTS[name]
    data = json.dumps(stated.value, ensure_ascii=False).encode()
    assert platform_json.sniff(Source.from_bytes("x", data)) > 0
    read = statement.read(stated.value, source="c")
    claim = read.claim
    assert (claim.platform, read.kind) == (stated.platform, stated.kind)
    assert (claim.tx_id, claim.block_height, claim.certificate_no) == (stated.tx, stated.height, stated.number)
    assert claim.block_hash == (bytes.fromhex(stated.block) if stated.block else None)
    assert (claim.time.instant.isoformat() if claim.time and claim.time.instant else None) == stated.when
    assert tuple(p.part for p in read.parts) == stated.parts
    assert claim.cross_chain == stated.cross
    if stated.alg:
        assert (claim.files[0].alg, claim.files[0].implied) == (stated.alg, stated.implied)
    assert not read.conflicts and not read.ambiguous


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_form_alone_is_never_consistent(name: str) -> None:
    stated = STATEMENTS[name]
    verdict = judged(stated.value)
    assert {s.format for s in verdict.sources} == {"unknown", "platform-certificate"}
    assert not findings(verdict, "ENGINE.RUN")
    assert verdict.grade.value == "E"
    if name != "zxchain request":  # its key and its signature are no key and no signature
        assert answer(verdict, "CERT.READ") == (PASSED, None)
    assert verdict.overall is Overall.INDETERMINATE
    if read_digest(stated):
        outcomes = [f.outcome.value for f in findings(verdict, "DIGEST.MATCH")]
        assert outcomes.count(PASSED) == 1 and FAILED not in outcomes
        assert verdict.reasons == (Reason.PLATFORM_ASSERTION_ONLY,)
    everywhere = {n for f in verdict.findings for n in (note.partition(":")[0] for note in f.notes)}
    assert set(stated.notes) <= everywhere
    online = finding(verdict, "INCL.ONLINE")
    assert (online.reason, online.bearing) == (Reason.NETWORK_REQUIRED, Bearing.ADVISORY)


def read_digest(stated: Stated) -> bool:
    files = statement.read(stated.value, source="c").files
    return any(f.digest.hex() in (SHA256, SM3) for f in files)


def test_every_platform_of_the_table_is_there() -> None:
    assert {s.platform for s in STATEMENTS.values()} == platforms.IDS


def test_names_in_the_spelling_of_another_program() -> None:
    """SDKs of other languages write evidenceTxHash or EVIDENCE_TX_HASH."""
    value = {"evidenceId": "E1", "evidence_time": "2026-03-01 09:30:00", "EVIDENCE-TX-HASH": "0x" + TX}
    assert statement.read(value, source="c").claim.platform == "btoe"


def test_a_list_of_records_is_as_many_certificates() -> None:
    one = {"fileHash": SHA256, "antTxHash": TX, "antTransactionId": "t"}
    two = {"fileHash": "12" * 32, "antTxHash": "34" * 32, "antTransactionId": "u"}
    read = statement.read_all({"code": 0, "data": {"antchainFiles": [one, two]}}, source="c")
    assert [c.claim.tx_id for c in read] == [TX, "34" * 32]
    assert [len(c.answers) for c in read] == [1, 0]
    verdict = judged({"code": 0, "data": {"antchainFiles": [one, two]}})
    assert [f.outcome.value for f in findings(verdict, "DIGEST.MATCH")] == [PASSED, OPEN]
    assert verdict.overall is Overall.INDETERMINATE


def test_a_list_that_has_no_record_of_the_file_accuses_nobody() -> None:
    """A page of a platform's list is about many files; a single record is about the one that is there."""
    records = [{"fileHash": f"{n:064x}", "antTxHash": f"{n:064x}", "antTransactionId": "t"} for n in (1, 2)]
    verdict = judged({"code": 0, "data": {"antchainFiles": records}})
    assert {f.reason for f in findings(verdict, "DIGEST.MATCH")} == {Reason.SIGNED_DATA_NOT_FOUND}
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(judged({"code": 0, "data": {"antchainFiles": records[:1]}}), "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)


def test_the_frame_around_a_list_loses_no_contradiction() -> None:
    one = {"fileHash": SHA256, "antTxHash": TX, "antTransactionId": "t"}
    verdict = judged({"code": 0, "blockHeight": 1, "区块高度": 2, "data": {"antchainFiles": [one, one]}})
    assert (FAILED, Reason.CERT_FIELDS_CONFLICT) in [(f.outcome.value, f.reason) for f in findings(verdict, "CERT.FIELDS")]


def test_papers_of_a_person_are_no_certificate_number() -> None:
    value = {"hash": SHA256, "hash_type": "SHA256", "cert_name": "张三", "cert_no": "110101199001011234", "length": 3}
    assert statement.read(value, source="c").claim.certificate_no is None


def test_a_certificate_that_could_be_two_platforms() -> None:
    """Then no platform's conventions are used: neither a unit nor a default is anybody's."""
    both = {"tx_id": TX, "ev_id": "E1", "EvidenceTxHash": TX, "EvidenceId": "E1", "create_time": MILLISECONDS, "file_hash": SHA256}
    read = statement.read(both, source="c")
    assert read.ambiguous == ("btoe", "huawei-dac") and read.claim.platform is None
    assert read.claim.time is not None and read.claim.time.instant is None
    assert read.claim.files[0].alg is None
    verdict = judged(both)
    note = next(n for n in finding(verdict, "CERT.READ").notes if n.startswith("AMBIGUOUS_PLATFORM"))
    assert note == "AMBIGUOUS_PLATFORM:btoe, huawei-dac"
    assert not findings(verdict, "CERT.REGISTRY")


def test_an_unknown_version_is_named() -> None:
    value = {"Version": "2029-01-01", **STATEMENTS["btoe 2021-05-14"].value["Response"]}
    assert "VERSION_UNKNOWN:Version 2029-01-01" in finding(judged(value), "CERT.READ").notes
    known = {**value, "Version": "2021-05-14"}
    assert notes(judged(known), "CERT.READ") == ["UNREAD_MEMBERS"]


# ── digests and their algorithms ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hash_type", "digest", "expected"),
    [
        (0, SM3, (PASSED, None)),
        (..., SM3, (PASSED, None)),
        (1, SHA256, (PASSED, None)),
        (0, SHA256, (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (1, SM3, (FAILED, Reason.CERT_FIELDS_CONFLICT)),
        (7, SHA256, (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)),
        (..., SHA256, (PASSED, None)),  # not named: the default is only the platform's
    ],
)
def test_the_code_of_an_algorithm(hash_type: Any, digest: str, expected: tuple[str, Reason | None]) -> None:
    value = {"EvidenceName": "page.html", "EvidenceHash": digest, "HashType": hash_type, "EvidenceId": "E1", "EvidenceTxHash": TX}
    value = {k: v for k, v in value.items() if v is not ...}
    verdict = judged(value)
    assert answer(verdict, "DIGEST.MATCH") == expected
    named = [n for n in notes(verdict, "DIGEST.MATCH") if n == "ALGORITHM_NOT_NAMED"]
    assert bool(named) == (hash_type is ... and digest == SHA256)


def test_a_length_that_cannot_be() -> None:
    value = {"EvidenceName": "page.html", "EvidenceHash": SHA256, "HashType": 2, "EvidenceId": "E1", "EvidenceTxHash": TX}
    read = finding(judged(value), "CERT.READ")
    assert (read.outcome.value, read.actual) == (FAILED, "EvidenceHash has 32 bytes, SHA-384 has 48")


def test_base64_where_it_is_documented_and_hex_where_it_is_not() -> None:
    hexadecimal = {**STATEMENTS["huawei"].value, "block_hash": BLOCK}
    assert statement.read(hexadecimal, source="c").claim.block_hash == bytes.fromhex(BLOCK)
    base64 = {**STATEMENTS["antchain check"].value, "block_hash": STATEMENTS["huawei"].value["block_hash"]}
    assert statement.read(base64, source="c").claim.block_hash == bytes.fromhex(BLOCK)


def test_the_certificate_of_one_file_with_another() -> None:
    for name in ("btoe deposit SM3 by default", "antchain registration", "huawei", "esign files", "netcourt request", "baidu record"):
        verdict = judged(STATEMENTS[name].value, page=OTHER)
        assert answer(verdict, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE), name
        assert verdict.overall is Overall.INCONSISTENT


def test_the_digests_of_a_capture_speak_of_as_many_files() -> None:
    value = STATEMENTS["antchain capture"].value
    verdict = judged(value, page=None, **{"other.html": OTHER})
    assert verdict.overall is Overall.INDETERMINATE
    assert {f.reason for f in findings(verdict, "DIGEST.MATCH")} == {Reason.SIGNED_DATA_NOT_FOUND}
    log = {**value["screenshot_info"], "process_log_file_hash": SHA256}
    with_log = judged({**value, "file_hash": "12" * 32, "screenshot_info": log})
    assert [f.outcome.value for f in findings(with_log, "DIGEST.MATCH")].count(PASSED) == 1


# ── times ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "member", "value", "expected"),
    [
        ("huawei", "create_time", MILLISECONDS, (PASSED, None)),
        ("huawei", "create_time", SECONDS, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("huawei", "create_time", MILLISECONDS * 1_000_000, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("huawei", "create_time", MILLISECONDS * 1000, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("huawei", "create_time", MILLISECONDS * 2, (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)),
        ("tbaas Fabric block", "CreateTimestamp", SECONDS, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("antchain registration", "timestamp", MILLISECONDS, (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
        ("btoe 2021-05-14", "EvidenceTime", "2026-03-01 09:30:00", (OPEN, Reason.TIME_ZONE_AMBIGUOUS)),
    ],
)
def test_units(name: str, member: str, value: Any, expected: tuple[str, Reason | None]) -> None:
    stated = STATEMENTS[name].value
    inner = {**stated.get("Response", stated), member: value}
    assert answer(judged(inner), "CERT.TIME") == expected


def test_a_number_without_a_unit_is_given_its_readings() -> None:
    note = next(n for n in finding(judged(STATEMENTS["antchain registration"].value), "CERT.TIME").notes)
    assert note == "TIME_READINGS:ms: 2026-03-01T01:30:00.000Z"


def test_counts_of_an_unknown_unit_have_an_order() -> None:
    value = {**STATEMENTS["antchain capture"].value, "gmt_evidence": MILLISECONDS + 1}
    assert answer(judged(value), "CERT.TIME") == (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)
    assert answer(judged(STATEMENTS["antchain capture"].value), "CERT.TIME") == (OPEN, Reason.TIME_ZONE_AMBIGUOUS)


# ── answers in a party's file ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "changes", "against"),
    [
        ("spc", {}, False),
        ("spc", {"验证结果": "该文件尚未在司法区块链存证"}, True),
        ("spc", {"验证结果": "该文件与链上存证数据比对结果不一致"}, True),
        ("netcourt reply", {}, False),
        ("netcourt reply", {"success": "false", "code": "409", "errMessage": "核验信息与链上信息不符"}, True),
        ("netcourt reply", {"success": "false", "code": "CONFLICT"}, True),
        ("zxchain reply", {"retCode": 1001}, True),
    ],
)
def test_an_answer_in_the_partys_file_is_no_answer_to_the_court(name: str, changes: dict[str, Any], against: bool) -> None:
    verdict = judged({**STATEMENTS[name].value, **changes})
    online = finding(verdict, "INCL.ONLINE")
    assert (online.outcome.value, online.reason, online.bearing) == (OPEN, Reason.NETWORK_REQUIRED, Bearing.ADVISORY)
    assert "STATED_ANSWER" in notes(verdict, "INCL.ONLINE")
    assert ("PLATFORM_CONFLICT" in notes(verdict, "INCL.ONLINE")) == against
    assert verdict.overall is Overall.INDETERMINATE


def test_the_sentence_must_be_one_of_the_three() -> None:
    value = {"存证编号": "SF-1", "存证时间": "2026-03-01 09:30:00", "验证结果": "VERIFIED"}
    assert statement.read(value, source="c").claim.platform is None


# ── several records, several certificates ──────────────────────────────────────────────────────────────────────────────


def test_one_transaction_under_two_certificates() -> None:
    first = STATEMENTS["btoe 2021-03-03"].value["Response"]
    with_hash = {**first, "EvidenceHash": SM3}
    same = judged(with_hash, with_hash)
    assert not [f for f in findings(same, "CERT.FIELDS") if f.reason is Reason.CERT_FIELDS_CONFLICT]
    height = judged(with_hash, {**with_hash, "BlockchainHeight": 1205})
    assert (FAILED, Reason.CERT_FIELDS_CONFLICT) in [(f.outcome.value, f.reason) for f in findings(height, "CERT.FIELDS")]
    assert height.overall is Overall.INCONSISTENT
    number = judged(with_hash, {**with_hash, "EvidenceId": "E2"})
    conflict = next(f for f in findings(number, "CERT.FIELDS") if f.reason is Reason.CERT_FIELDS_CONFLICT)
    assert (conflict.outcome.value, conflict.bearing) == (OPEN, Bearing.DECISIVE)
    batch = judged(with_hash, {**first, "EvidenceId": "E2", "EvidenceHash": "12" * 32})
    assert not [f for f in findings(batch, "CERT.FIELDS") if f.reason is Reason.CERT_FIELDS_CONFLICT]


def test_a_further_record_is_compared_where_its_proof_is_there() -> None:
    """The log's transaction is proven; the certificate names the right one, then another height's."""
    chain = built()
    value = {**STATEMENTS["antchain registration"].value, "package_tx_hash": chain.tx_hash}
    given = {**files(chain), "certificate.json": json.dumps(value).encode()}
    verdict = examine(given, trust(chain))
    compared = [f for f in findings(verdict, "CERT.FIELDS") if "package_tx_hash" in f.subject]
    assert [f.outcome.value for f in compared] == [PASSED]
    # The record that it is about has no proof: the file stands on the proof of the package's transaction.
    assert verdict.overall is Overall.CONSISTENT


def test_further_records_leave_no_gap() -> None:
    chain = built()
    value = {
        **STATEMENTS["antchain registration"].value,
        "tx_hash": chain.tx_hash,
        "timestamp": "2026-09-21T14:13:20Z",
        "package_tx_hash": "ef" * 32,
    }
    verdict = examine({**files(chain), "certificate.json": json.dumps(value).encode()}, trust(chain))
    assert answer(verdict, "CERT.FIELDS") == (PASSED, None)
    assert verdict.overall is Overall.CONSISTENT


# ── malformed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"retCode": 0, "retMsg": "", "data": {"txId": [TX], "blockHeight": 1}}, "data.txId is not a text, or too long"),
        ({"retCode": 0, "retMsg": "", "data": {"txId": TX, "blockHeight": -1}}, "data.blockHeight is not a block height"),
        ({"retCode": 0, "retMsg": "", "data": {"txId": TX, "blockHeight": "0x10"}}, "data.blockHeight: not a canonical decimal number"),
        ({"code": 0, "data": [{"txid": TX, "file_hash": "zz", "blockid": BLOCK}]}, "data[0].file_hash is neither hex nor base64"),
        ({"存证编号": "1", "文件列表": [{"文件名": "a", "SHA256": SM3[:-2]}]}, "文件列表[0].SHA256 has 31 bytes, SHA-256 has 32"),
        ({"tx_hash": TX, "tsr": "x", "screenshot_info": {"log_zip_tx_hash": {"a": 1}}}, "screenshot_info.log_zip_tx_hash is not a text, or too long"),
    ],
)
def test_a_malformed_member_is_named_by_its_path(value: dict[str, Any], path: str) -> None:
    verdict = judged(value)
    read = finding(verdict, "CERT.READ")
    assert (read.outcome.value, read.reason, read.actual) == (FAILED, Reason.FORMAT_FAILURE, path)


def test_one_thing_twice_in_two_places() -> None:
    value = {"txId": TX, "retCode": 0, "retMsg": "", "data": {"txId": "12" * 32, "blockHeight": 1}}
    verdict = judged(value)
    assert (FAILED, Reason.CERT_FIELDS_CONFLICT) in [(f.outcome.value, f.reason) for f in findings(verdict, "CERT.FIELDS")]
    twice = b'{"retCode":0,"retMsg":"","txId":"' + TX.encode() + b'","txId":"' + b"12" * 32 + b'"}'
    assert answer(examine({"page.html": PAGE, "c.json": twice}, trust(None)), "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)


def test_a_name_in_two_spellings_hides_nothing() -> None:
    value = {**STATEMENTS["antchain registration"].value, "packageTxHash": "12" * 32}
    conflict = finding(judged(value), "CERT.FIELDS")
    assert (conflict.outcome.value, conflict.reason) == (FAILED, Reason.CERT_FIELDS_CONFLICT)
    answers = {**STATEMENTS["zxchain reply"].value, "retCode": 1001, "ret_code": 0}
    assert "PLATFORM_CONFLICT" in notes(judged(answers), "INCL.ONLINE")


def test_a_thousand_contradictions_are_not_a_thousand_findings() -> None:
    spellings = {"t" + "_" * n + "x_hash": f"{n:064x}" for n in range(1, 50)}
    verdict = judged({"blockHeight": 1, **spellings})
    assert len([f for f in findings(verdict, "CERT.FIELDS") if f.outcome.value == FAILED]) == statement.CONFLICTS_MAX


HOSTILE = (
    "\u202egnp.exe",
    "a\r\nb\x1b[31mred\x00",
    "x" * 5000,
    "<script>alert(1)</script>",
    "{{ settings.SECRET_KEY }}",
    "../../etc/passwd",
    "\ufeff\u2066\u2069",
    "=HYPERLINK(\"http://evil\")",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["btoe 2021-03-03", "antchain capture", "baidu record", "spc", "netcourt request", "zxchain request"])
def test_hostile_text_in_every_place(name: str, text: str) -> None:
    """In the place of every text, and as the name of a member: nothing raises, nothing passes, nothing unprintable is shown."""
    original = STATEMENTS[name].value
    for path in text_paths(original):
        verdict = judged(put(original, path, text))
        assert_plain(verdict)
    assert_plain(judged({**original, text: text, text + "2": {text: [text]}}))


def assert_plain(verdict: Verdict) -> None:
    assert verdict.overall is not Overall.CONSISTENT
    assert not findings(verdict, "ENGINE.RUN")
    for f in verdict.findings:
        if f.check.startswith("CERT."):
            for said in (*f.notes, f.actual or "", f.expected or ""):
                assert all(c.isprintable() for c in said), (f.check, said)
                assert len(said) < 4000


def text_paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in text_paths(v, (*at, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in text_paths(v, (*at, i))]
    return [at]


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    head, *rest = path
    if isinstance(value, dict):
        return {k: put(v, tuple(rest), leaf) if k == head else v for k, v in value.items()}
    return [put(v, tuple(rest), leaf) if i == head else v for i, v in enumerate(value)]


LEAVES = (None, True, 0, -1, 1.5, 10**40, "", "0x", "zz", SHA256, "AAAA", [], {}, [[]], {"a": {}}, [{"txid": 1}], "x" * 300, "\ud7ff", "２０２６")


def test_seeded_changes_never_raise_and_never_pass() -> None:
    """Members dropped, replaced, moved and multiplied, in every form."""
    rng = random.Random("platform forms")
    names = list(STATEMENTS)
    for _ in range(600):
        value = json.loads(json.dumps(STATEMENTS[rng.choice(names)].value))
        for _ in range(rng.randrange(1, 4)):
            paths = text_paths(value)
            if not paths:
                break
            path = rng.choice(paths)
            match rng.randrange(4):
                case 0:
                    value = put(value, path, rng.choice(LEAVES))
                case 1 if path:
                    value = put(value, path[:-1], rng.choice(LEAVES)) if path[:-1] else value
                case 2:
                    other = STATEMENTS[rng.choice(names)].value
                    value = {**value, **other} if isinstance(value, dict) else value
                case _:
                    value = {"data": [value, value]} if rng.random() < 0.5 else {"data": {"result": value}}
        if not isinstance(value, dict):
            continue
        verdict = judged(value)
        assert verdict.overall is not Overall.CONSISTENT, value
        assert not findings(verdict, "ENGINE.RUN"), value


def test_bounds_of_lists() -> None:
    record = {"txid": TX, "file_hash": SM3, "blockid": BLOCK}
    many = {"data": [record] * (statement.RECORDS_MAX + 1)}
    assert answer(judged(many), "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)
    nested = {"data": [{**record, "data": [record]}]}
    assert answer(judged(nested), "CERT.READ") == (FAILED, Reason.FORMAT_FAILURE)


@pytest.mark.parametrize(
    "value",
    [
        {"success": True, "code": 200, "errMessage": "", "result": []},
        {"data": {"list": []}, "code": 0},
        {"hash": SHA256, "sign": "x"},
        {"status": "ok", "timestamp": MILLISECONDS, "url": "https://shop.example.com"},
        {"公司名称": "某公司", "验证结果": "核验通过"},
        {"EvidenceName": "x"},
    ],
)
def test_what_is_no_certificate_stays_evidence(value: dict[str, Any]) -> None:
    assert platform_json.sniff(Source.from_bytes("c.json", json.dumps(value, ensure_ascii=False).encode())) == 0


def test_no_address_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    urls = ["http://127.0.0.1:6379/", "http://[::1]/", "file:///etc/passwd", "http://good.example\\@127.0.0.1/", "gopher://x/"]
    judged({**STATEMENTS["antchain registration"].value, "urls": urls})
