"""The demonstration's evidence, made afresh by writers that know nothing of the engine: all three verdicts, and a time-stamp.

1. a captured page whose digest lies on a ChainMaker chain up to a quorum the court pinned      核验一致, grade B
2. a picture altered after its digest was recorded on a FISCO BCOS chain                        核验不一致
3. a picture with nothing but a platform's certificate                                          无法判定, grade E
4. the defendant's draft with a time-stamp of an authority the court pinned                     核验一致, grade A
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

from . import chainmaker, fisco3, snapshot

CHAINMAKER_HEIGHT = 1_204_417


@dataclass(frozen=True, slots=True)
class Filed:
    """What one person hands in: the answers of the mini-court form and the files."""

    username: str
    name: str
    category: str
    origin: str
    purpose: str
    files: Mapping[str, bytes]
    prechain: Mapping[str, str] = field(default_factory=dict)
    """What is said of the time before recording, by head."""


@dataclass(frozen=True, slots=True)
class Made:
    chains: Mapping[str, Mapping[str, Any]]
    """For the trust store: name -> {"profile", "validators"}."""
    filed: tuple[Filed, ...]


def make(keys: Path, *, at: datetime) -> Made:
    """`keys` is the directory of `authority.ensure`; `at` is when the recordings of older files are said to have happened."""
    page = snapshot.capture(pattern="青花山水")
    # What was captured just now was not recorded a month ago: its block is of the second after, and nothing is filed before that.
    captured = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    # 至信链's open interface records SM3 by default.
    chain_maker = chainmaker.build_block(
        [hashlib.new("sm3", page).digest()], suite="SM", height=CHAINMAKER_HEIGHT, time=int(captured.timestamp())
    )
    sleep(max(0, (captured - datetime.now(UTC)).total_seconds()))
    picture, altered = snapshot.png(shade=40), snapshot.png(shade=41)
    recorded = hashlib.sha256(picture).digest()
    fisco = fisco3.build([recorded], suite="ECDSA", timestamp=int(at.timestamp() * 1000))
    chat = snapshot.png(shade=120)
    draft = snapshot.png(shade=180)
    return Made(
        chains={
            "demonstration-chainmaker": {"profile": chain_maker.profile, "validators": chain_maker.validators},
            "demonstration-fisco": {"profile": fisco.profile, "validators": fisco.validators},
        },
        filed=(
            Filed(
                "plaintiff",
                "侵权商品网页快照",
                "web",
                "2026 年用网页取证软件抓取，抓取后立即存证。",
                "被告在其店铺页面上使用了原告作品《青花山水》。",
                {
                    "page.wacz": page,
                    "block.json": chain_maker.block_json,
                    "certificate.json": certificate(
                        "page.wacz", page, alg="SM3", tx=chain_maker.tx_ids[0], height=CHAINMAKER_HEIGHT, at=captured
                    ),
                },
                {
                    "source": "被告店铺的公开商品页面，由原告职员用公司电脑打开。",
                    "generation": "页面由店铺所在平台自动生成；网页取证软件原样抓取。",
                    "storage": "抓取后存于公司电脑，当日上链存证，其间无人改动。",
                    "corroboration": "原告证据2的图片取自同一页面。",
                },
            ),
            Filed(
                "plaintiff",
                "商品图片（存证后被改动）",
                "file",
                "从商品页面保存的图片。",
                "被告商品图片与原告作品相同。",
                {
                    "plate.png": altered,
                    **fisco.files(),
                    "certificate.json": certificate(
                        "plate.png", picture, tx=fisco.tx_hash, height=int(fisco.block["number"]), at=at
                    ),
                },
            ),
            Filed(
                "plaintiff",
                "聊天记录截图",
                "communication",
                "手机截图，经存证平台存证。",
                "被告承认使用了原告作品。",
                {
                    "chat.png": chat,
                    "certificate.json": certificate(
                        "chat.png", chat, tx="0x" + hashlib.sha256(b"demonstration unproven").hexdigest(), height=1310, at=at
                    ),
                },
            ),
            Filed(
                "defendant",
                "设计底稿",
                "file",
                "被告设计师的原始文件，完成后申请了可信时间戳。",
                "被告的图案在原告主张的日期之前已经完成。",
                {"draft.png": draft, "draft.tsr": time_stamp(draft, keys)},
                {"source": "被告设计师的工作电脑。", "witness": "设计部同事二人在场，可出庭说明。"},
            ),
        ),
    )


def certificate(
    name: str, content: bytes, *, tx: str, height: int, at: datetime, alg: str = "SHA-256"
) -> bytes:
    """A platform certificate as a party holds it: a statement, with no proof inside."""
    digest = hashlib.new({"SHA-256": "sha256", "SM3": "sm3"}[alg], content).hexdigest()
    return json.dumps(
        {
            "平台": "demo-platform",
            "存证编号": f"DEMO-{hashlib.sha256(content).hexdigest()[:12].upper()}",
            "文件名": name,
            "文件大小": len(content),
            "哈希算法": alg,
            "文件哈希": digest,
            "交易哈希": tx,
            "区块高度": height,
            "上链时间": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "核验网址": "https://evidence.demonstration.invalid/check",
        },
        ensure_ascii=False,
        indent=1,
    ).encode()


def time_stamp(content: bytes, keys: Path) -> bytes:
    """An RFC 3161 token of the demonstration's authority over the SHA-256 of `content` (DER, bare ContentInfo)."""
    import asyncio

    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.timestamps import DummyTimeStamper

    tsa = SimpleSigner.load_pkcs12(keys / "tsa.p12", passphrase=(keys / "tsa.passphrase").read_bytes())
    if tsa is None:
        raise RuntimeError("the demonstration's time-stamping key cannot be opened")
    stamper = DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry)
    token = asyncio.run(stamper.async_timestamp(hashlib.sha256(content).digest(), "sha256"))
    return bytes(token.dump())
