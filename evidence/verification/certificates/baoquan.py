"""保全网 (baoquan.com): `/attestation`.

Source: baoquan-hq/readthedocs docs/api.rst. `no` is the 保全号, `blockchain_hash` the transaction (empty until recorded),
`hhf_hash` the number of the same on the ledger of the Hangzhou Internet Court. Neither digest nor time is documented.
"""

from .form import Form
from .spellings import Concept

FORM = Form(
    platform="baoquan",
    kinds={
        "attestation": ("no", "blockchain_hash"),
        "attestation in court": ("blockchain_hash", "hhf_hash"),
    },
    concepts={
        "no": Concept.CERTIFICATE_NO,
        "ano": Concept.CERTIFICATE_NO,
        "blockchain_hash": Concept.TX_ID,
        "identities": None,
        "factoids": None,
        "attachments": None,
    },
    cross_chain={"hhf_hash": "杭州互联网法院司法链"},
)
