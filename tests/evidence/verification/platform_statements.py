"""Synthetic statements of every platform, built from the tables of names that the platforms publish: no real certificate is
public. Each with what it states, worked out by hand.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.evidence.verification.fisco3_exhibits import PAGE

SHA256 = hashlib.sha256(PAGE).hexdigest()
SM3 = hashlib.new("sm3", PAGE).hexdigest()
SHA384 = hashlib.sha384(PAGE).hexdigest()
TX = "ab" * 32
BLOCK = "cd" * 32
BLOCK_BASE64 = "zc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc0="
SECONDS, MILLISECONDS = 1772328600, 1772328600000
"""2026-03-01T01:30:00Z."""
WHEN = "2026-03-01T01:30:00+00:00"


@dataclass(frozen=True)
class Stated:
    """`alg` and `matches`: what the only digest of the page is stated under, and whether it is the page's."""

    platform: str
    kind: str
    value: dict[str, Any]
    tx: str | None = None
    height: int | None = None
    block: str | None = None
    number: str | None = None
    alg: str | None = None
    implied: bool = False
    when: str | None = None
    parts: tuple[str, ...] = ()
    cross: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())


STATEMENTS: dict[str, Stated] = {
    "zxchain reply": Stated(
        "zxchain",
        "save reply",
        {"retCode": 0, "retMsg": "ok", "data": {"txId": TX, "blockHeight": 1204, "txTime": MILLISECONDS}},
        tx=TX, height=1204, when=WHEN,
    ),
    "zxchain reply in seconds": Stated(
        "zxchain",
        "save reply",
        {"retCode": "0", "retMsg": "", "data": {"txId": TX, "blockHeight": "1204", "txTime": str(SECONDS)}},
        tx=TX, height=1204, when=WHEN,
    ),
    "zxchain request": Stated(
        "zxchain",
        "save request",
        {"publicKey": "AA==", "hash": SHA256, "sign": "AA==", "extendInfo": "{}"},
    ),
    "btoe 2021-03-03": Stated(
        "btoe",
        "deposit information",
        {"Response": {"EvidenceId": "E1", "EvidenceTime": "2026-03-01 09:30:00", "EvidenceTxHash": "0x" + TX,
                      "BlockchainHeight": "1204", "RequestId": "r"}},
        tx="0x" + TX, height=1204, number="E1",
    ),
    "btoe 2021-05-14": Stated(
        "btoe",
        "deposit information",
        {"Response": {"EvidenceId": "E1", "EvidenceTime": "2026-03-01 09:30:00", "EvidenceTxHash": "0x" + TX, "RequestId": "r"}},
        tx="0x" + TX, number="E1",
    ),
    "btoe deposit SM3 by default": Stated(
        "btoe",
        "deposit of a hash",
        {"EvidenceName": "page.html", "EvidenceHash": SM3, "BusinessId": "b", "EvidenceDescription": "d"},
        alg="SM3", implied=True,
    ),
    "btoe deposit SHA-384": Stated(
        "btoe", "deposit", {"EvidenceName": "page.html", "EvidenceHash": SHA384, "HashType": 2, "BusinessId": "b"}, alg="SHA-384",
    ),
    "btoe certificate": Stated(
        "btoe",
        "address of the certificate",
        {"Response": {"EvidenceId": "E1", "EvidenceCert": "https://btoe.example.cn/c.pdf?sign=x", "RequestId": "r"}},
        number="E1",
    ),
    "btoe check of a transaction": Stated(
        "btoe",
        "check of a transaction",
        {"Response": {"Result": True, "EvidenceTime": "2021-03-31 18:52:05", "EvidenceId": "E1", "RequestId": "r"}},
        number="E1", notes=("STATED_ANSWER",),
    ),
    "tbaas ChainMaker": Stated(
        "tbaas",
        "ChainMaker transaction",
        {"Response": {"Result": {"Code": 0, "CodeMessage": "SUCCESS", "TxId": TX, "GasUsed": 1, "BlockHeight": 1204,
                                 "ContractEvent": "", "Message": "", "Timestamp": SECONDS}, "RequestId": "r"}},
        tx=TX, height=1204, when=WHEN,
    ),
    "tbaas Fabric transaction": Stated(
        "tbaas",
        "Fabric transaction",
        {"Response": {"TxId": TX, "TxHash": "12" * 32, "TxStatus": "VALID", "JoinOrgList": [], "Sender": "s",
                      "CreateTime": "2026-03-01 09:30:00", "BlockHeight": 1204, "ChaincodeName": "cc", "TransactionData": "e30="}},
        tx=TX, height=1204,
    ),
    "tbaas Fabric block": Stated(
        "tbaas",
        "Fabric block",
        {"BlockHeight": 1204, "BlockHash": BLOCK, "PreBlockHash": "12" * 32, "TxCount": 1, "CreateTimestamp": "1772328600"},
        height=1204, block=BLOCK,
    ),
    "baidu record": Stated(
        "baidu-xuper",
        "record",
        {"code": 0, "msg": "", "data": [
            {"txid": TX, "file_hash": SM3, "blockid": BLOCK, "cert_url": "https://xuper.baidu.com/cert/1.pdf",
             "create_time": MILLISECONDS, "cross_data": {"bh_txid": "b1", "zjtp_txid": "z1", "gh_cert_id": "g1"},
             "timestamp_data": {"TimestampTxid": "34" * 32, "TimestampAID": "a", "TimestampTsa": "x", "TimestampTsaTime": SECONDS,
                                "TimestampSupplier": "s"}}]},
        tx=TX, block=BLOCK, alg="SM3", implied=True, when=WHEN, parts=("data[0].timestamp_data.TimestampTxid",),
        cross=(("北京互联网法院（天平链）", "b1"), ("中经天平", "z1"), ("广州互联网法院", "g1")), notes=("CROSS_CHAIN",),
    ),
    "antchain registration": Stated(
        "antchain-bccr",
        "record with tsr",
        {"result_code": "OK", "status": "SUCCESS", "timestamp": MILLISECONDS, "hash": SHA256, "tx_hash": TX, "block_height": 1204,
         "tsr": "x", "certificate_url": "https://n.example.cn/c", "certificate_storage_no": "S1",
         "certificate_time_url": "https://t.example.cn/c", "package_url": "https://p.example.cn/", "package_tx_hash": "ef" * 32,
         "statement_url": None, "security": {"risk": "none"}},
        tx=TX, height=1204, number="S1", alg="SHA-256", implied=True, parts=("package_tx_hash",), notes=("FURTHER_RECORDS",),
    ),
    "antchain check": Stated(
        "antchain-bccr",
        "record with data_type",
        {"tx_hash": TX, "status": "ok", "block_hash": BLOCK, "block_height": 1204, "data_type": "FILE", "timestamp": str(MILLISECONDS)},
        tx=TX, height=1204, block=BLOCK,
    ),
    "antchain certificate": Stated(
        "antchain-bccr",
        "certificate",
        {"certificate_no": "N1", "certificate_time": "2026-03-01 09:30:00", "certificate_hash": TX,
         "certificate_url": "https://n.example.cn/c"},
        tx=TX, number="N1",
    ),
    "antchain capture": Stated(
        "antchain-bccr",
        "record with tsr",
        {"url": "https://shop.example.com/", "gmt_evidence_start": MILLISECONDS - 9000, "gmt_evidence": MILLISECONDS - 4000,
         "file_hash": SHA256, "file_size": len(PAGE), "tx_hash": TX, "block_height": 1204, "timestamp": MILLISECONDS, "tsr": "x",
         "tool_version": "1", "head_title": "t", "zip_file_hash": "11" * 32, "zip_tx_hash": "22" * 32,
         "main_evidence_name": "m", "evidence_order_num": "1",
         "screenshot_info": {"process_log_file_hash": "33" * 32, "check_log_file_hash": "44" * 32, "screenshot_file_hash": "55" * 32,
                             "log_zip_file_hash": "66" * 32, "log_zip_tx_hash": "77" * 32}},
        tx=TX, height=1204, alg="SHA-256", implied=True,
        parts=("zip_tx_hash", "screenshot_info.log_zip_tx_hash", "screenshot_info.process_log_file_hash",
               "screenshot_info.check_log_file_hash"),
    ),
    "antchain recording": Stated(
        "antchain-bccr",
        "record with tsr",
        {"file_hash": SHA256, "gmt_ready": 1, "gmt_start": MILLISECONDS - 9000, "gmt_end": MILLISECONDS - 4000, "os_version": "o",
         "sw_version": "s", "tsr": "x", "tx_hash": TX, "timestamp": MILLISECONDS, "screen_info": {"video_file_hash": "88" * 32}},
        tx=TX, alg="SHA-256", implied=True,
    ),
    "antchain capture with a certificate": Stated(
        "antchain-bccr",
        "capture with a certificate",
        {"evidence_type": "SCREENSHOT", "evidence_id": "x", "certificate_no": "N1", "certificate_time": MILLISECONDS,
         "evidence_hash": SHA256, "evidence_tx_hash": TX, "certificate_file_url": "https://n.example.cn/c"},
        tx=TX, number="N1", alg="SHA-256", implied=True,
    ),
    "antchain recording with files": Stated(
        "antchain-bccr",
        "capture with a certificate",
        {"evidence_type": "RECORD", "status": "FINISH", "evidence_id": "x", "certificate_no": "N1", "certificate_time": MILLISECONDS,
         "evidence_hash": "12" * 32, "evidence_tx_hash": TX, "evidence_start_time": MILLISECONDS - 9000,
         "evidence_end_time": MILLISECONDS - 4000,
         "evidence_files": [{"evidence_file_name": "page.html", "evidence_file_size": len(PAGE), "evidence_file_hash": SHA256}]},
        tx=TX, number="N1", alg="SHA-256", implied=True,
    ),
    "antchain evidence": Stated(
        "antchain-bccr",
        "certificate",
        {"result_code": "OK", "evidence_id": "x", "start_time": MILLISECONDS - 9000, "finish_time": MILLISECONDS - 4000,
         "certificate_info": {"certificate_no": "N1", "certificate_time": "2026-03-01 09:30:00", "certificate_hash": TX}},
        tx=TX, number="N1", notes=("STATED_ANSWER",),
    ),
    "huawei": Stated(
        "huawei-dac",
        "record",
        {"name": "page.html", "ev_id": "E1", "charge_type": "normal", "create_time": str(MILLISECONDS), "tx_id": TX,
         "file_hash": SM3, "block_hash": BLOCK_BASE64, "block_height": 46, "user_addr": "a6d7"},
        tx=TX, height=46, block=BLOCK, number="E1", alg="SM3", implied=True, when=WHEN,
    ),
    "baoquan": Stated(
        "baoquan",
        "attestation",
        {"request_id": "r", "data": {"no": "DB0C8DB1", "template_id": "t", "identities": {"ID": "1"}, "factoids": [], "completed": True,
                                     "attachments": {"1": ["a"]}, "blockchain_hash": TX, "hhf_hash": "H1"}},
        tx=TX, number="DB0C8DB1", cross=(("杭州互联网法院司法链", "H1"),),
    ),
    "esign files": Stated(
        "esign",
        "record",
        {"message": "成功", "code": 0, "data": {"antchainFiles": [
            {"fileId": "f", "fileHash": SHA256, "antTransactionId": "t", "antTxHash": TX, "pushTime": MILLISECONDS}]}},
        tx=TX, when=WHEN, notes=("STATED_ANSWER",),
    ),
    "esign evidence": Stated(
        "esign",
        "record",
        {"errCode": 0, "msg": "成功", "success": True, "antPushList": [
            {"eid": "C1", "segmentEid": "s", "docHash": SHA256, "antTransactionId": "t", "antTxHash": TX,
             "pushTime": "2026-03-01 09:30:00"}]},
        tx=TX, number="C1",
    ),
    "spc": Stated(
        "spc-sifa",
        "check",
        {"存证编号": "SF-1", "存证时间": "2026-03-01 09:30:00", "验证结果": "核验通过"},
        number="SF-1", notes=("STATED_ANSWER",),
    ),
    "netcourt request": Stated(
        "netcourt-hz",
        "notaryCert request",
        {"meta": {"accountId": "a", "token": "T1", "phase": "p", "entity": {"certNo": "91330000", "certName": "c"}},
         "notaryContent": SHA256, "timestamp": str(MILLISECONDS), "signedData": "00ff"},
        number="T1", alg="SHA-256", implied=True, when=WHEN,
    ),
    "netcourt reply": Stated(
        "netcourt-hz",
        "reply",
        {"success": "true", "code": "OK", "errMessage": "", "responseData": BLOCK},
        block=BLOCK, notes=("STATED_ANSWER",),
    ),
}  # fmt: skip
