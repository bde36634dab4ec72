"""蚂蚁链版权保护 (bccr): registration, check, certificates, web captures and recordings.

Source: the names and comments in PyPI antchain-bccr 1.22.0. `tx_hash` is the 统一证据编号. Each `…_tx_hash` is a record of
its own, with the digest beside it: all are listed, each needs its own verification. `cert_no` is the number of a person's
papers, not of a certificate. The unit of the integer times (milliseconds presumably) is not documented; `hash` is SHA-256 as
documented for registration. Headers and proofs of this ledger (Mychain) are not public: there is no walk without the platform.
"""

from .form import Answer, Form, Record
from .spellings import Concept

_BESIDE_TX = (
    "tsr", "certificate_url", "certificate_storage_no", "package_tx_hash", "zip_tx_hash", "gmt_evidence", "gmt_start",
    "statement_url", "data_type", "certificate_time_url",
)  # fmt: skip

FORM = Form(
    platform="antchain-bccr",
    kinds={
        **{f"record with {name}": ("tx_hash", name) for name in _BESIDE_TX},
        "certificate": ("certificate_no", "certificate_hash"),
        "capture with a certificate": ("evidence_tx_hash", "certificate_no"),
        "logs of a capture": ("process_log_tx_hash", "check_log_tx_hash"),
        "rights code": ("file_hash", "file_hash_tx_hash", "dci_code"),
        "registration": ("hash", "hash_type", "cert_name"),
    },
    never=("antTxHash", "CodeMessage"),
    concepts={
        "cert_no": None,
        "certificate_hash": Concept.TX_ID,
        "certificate_time": Concept.RECORDED,
        "evidence_time": Concept.RECORDED,
        "gmt_evidence_start": Concept.CAPTURE_BEGUN,
        "gmt_start": Concept.CAPTURE_BEGUN,
        "evidence_start_time": Concept.CAPTURE_BEGUN,
        "gmt_evidence": Concept.CAPTURED,
        "gmt_end": Concept.CAPTURED,
        "evidence_end_time": Concept.CAPTURED,
        "start_time": Concept.CAPTURE_BEGUN,
        "finish_time": Concept.CAPTURED,
        "evidence_file_hash": Concept.DIGEST,
        "evidence_file_name": Concept.FILE_NAME,
        "evidence_file_size": Concept.FILE_SIZE,
        "main_evidence_name": None,
        "evidence_name": None,
        "file_hash_block_height": Concept.HEIGHT,
        "evidence_id": None,
        "dci_code_tsr": None,
    },
    envelopes=("screenshot_info", "screen_info", "certificate_info", "evidence_file"),
    lists=("certificates", "certificate_list"),
    files=("evidence_files",),
    records=(
        Record("package_tx_hash"),
        Record("zip_tx_hash", ("zip_file_hash",)),
        Record("log_zip_tx_hash", ("log_zip_file_hash",)),
        Record("process_log_tx_hash", ("process_log_file_hash",)),
        Record("check_log_tx_hash", ("check_log_file_hash",)),
        Record("file_hash_tx_hash"),
        Record("dci_code_tx_hash"),
        Record("dci_code_file_tx_hash"),
        Record("pre_reg_cert_tx_hash", ("pre_reg_cert_file_hash",)),
        Record("cancel_tx_hash"),
    ),
    others=(
        "screenshot_file_hash", "web_screenshot_file_hash", "web_source_file_hash", "video_file_hash",
        "extend_device_check_file_hash", "extend_device_process_file_hash",
    ),
    default="SHA-256",
    answers=(Answer("result_code", good=("ok", "200", "success")),),
)  # fmt: skip
