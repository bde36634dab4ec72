"""百度超级链可信存证, and through it 天平链 and other courts: replies of xuper.baidu.com.

Source: cloud.baidu.com/doc/XUPEREVID (Plgt5qmud yunquerytxinfo, elgt5qmkg, Mlgt5qmnq, olgt5qlwq). `data` is a list of records.
The digest handed in for recording is documented as SM3, `create_time` as milliseconds. The numbers in `cross_data` are records
of the same on the ledgers of courts, `TimestampTsa` (ctsr) is a time-stamp; the block of `blockid` is named by its hash.
天平链 itself has no public interface: its 存证编号 (`bh_txid`) is checked on the court's side.
"""

from .form import Answer, Form, Record
from .spellings import Concept

FORM = Form(
    platform="baidu-xuper",
    kinds={
        "record": ("txid", "file_hash", "blockid"),
        "record on several ledgers": ("txid", "cross_data"),
        "testimony": ("evidence_filehash", "court_name", "pdf_url"),
        "callback": ("tx_id", "gencert_url", "tx_time"),
    },
    never=("ev_id", "retCode"),
    concepts={
        "evidence_filehash": Concept.DIGEST,
        "TimestampTsa": Concept.TOKEN,
        "timestamp_tsa": Concept.TOKEN,
        "TimestampTsaTime": None,
        "TimestampTsaOriginalTime": None,
        "TimestampAID": None,
        "EvidenceBlockid": None,
        "tx_time": Concept.RECORDED,
    },
    units={"create_time": "ms"},
    default="SM3",
    envelopes=("cross_data", "timestamp_data"),
    lists=("data", "list"),
    records=(Record("TimestampTxid"),),
    cross_chain={
        "bh_txid": "北京互联网法院（天平链）",
        "tianping_tx": "天平链",
        "zjtp_txid": "中经天平",
        "gh_cert_id": "广州互联网法院",
    },
    answers=(Answer("code", good=("0", "200")),),
)
