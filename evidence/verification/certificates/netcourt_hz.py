"""杭州互联网法院 司法链 (check.netcourt.gov.cn): requests of notaryToken and notaryCert, and their replies.

Source: the README of Lin07ux/net-court. `notaryContent` is SHA-256 of a file as a rule (or a text), `responseData` of notaryCert
the hash of the block, of notaryToken the number of the transaction: which of the two a bare reply is cannot be told. `timestamp`
counts milliseconds. `signedData` is RSA with SHA-256 over accountId, phase and timestamp: **it does not cover the content**.
Code CONFLICT (409): 核验信息与链上信息不符.
"""

from .form import Answer, Form
from .spellings import Concept

FORM = Form(
    platform="netcourt-hz",
    kinds={
        "notaryCert request": ("meta", "notaryContent", "signedData"),
        "notaryCert phase": ("accountId", "token", "phase"),
        "notaryToken request": ("accountId", "bizId", "signedData"),
        "reply": ("success", "code", "responseData", "errMessage"),
        "reply with its header": ("Blockchainresponse",),
        "certificate": ("notaryToken", "notaryCert"),
    },
    concepts={
        "notaryContent": Concept.DIGEST,
        "token": Concept.CERTIFICATE_NO,
        "notaryToken": Concept.CERTIFICATE_NO,
        "certNo": None,
        "certName": None,
        "signedData": None,
    },
    if_hash={"responseData": Concept.BLOCK_HASH},
    units={"timestamp": "ms"},
    default="SHA-256",
    envelopes=("meta", "Blockchainresponse", "notaryCert", "request", "response"),
    kept=("signedData",),
    answers=(Answer("code", good=("200", "202", "ok", "accepted")), Answer("success", good=("true",))),
)
