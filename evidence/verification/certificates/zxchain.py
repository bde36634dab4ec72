"""至信链 open API (`POST /api/v1/ev/save`, open.zxchain.qq.com): what the depositor asked and what the platform replied.

Source: two public Java integrations; there is no official public reference. The request's `sign` is checked in `depositor`.
`txTime` has 10 or 13 digits, or is a local time without a zone. Before 2021 the platform stood on TrustSQL, not ChainMaker.
"""

from .form import Answer, Form

FORM = Form(
    platform="zxchain",
    kinds={
        "save reply": ("retCode", "retMsg", "txId"),
        "save request": ("publicKey", "hash", "sign", "extendInfo"),
        "signed request": ("publicKey", "hash", "sign", "Secret-Id"),
        "failed reply": ("retCode", "retMsg", "Cloud-trace-id"),
    },
    concepts={"publicKey": None, "sign": None, "extendInfo": None, "Signature-Time": None, "Signature": None},
    units={"txTime": "digits"},
    envelopes=("data", "request", "response", "req", "resp", "headers"),
    kept=("publicKey", "hash", "sign", "extendInfo"),
    answers=(Answer("retCode", good=("0",)),),
)
