"""What the pages call things: kinds of entries and their fields. A field that is not named here shows by its own name."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from .difference import Difference, How
from .entries import Entry

KINDS = {
    "court": lazy("法院和标识"),
    "policy": lazy("核验策略"),
    "platform": lazy("存证平台"),
    "chain": lazy("联盟链"),
    "epoch": lazy("验证节点组"),
    "validator": lazy("验证节点"),
    "org_root": lazy("机构根证书"),
    "checkpoint": lazy("检查点"),
    "root": lazy("根证书"),
    "object": lazy("其他内容"),
    "file": lazy("文件"),
}
FOLDERS = {"tsa/certs": lazy("可信时间戳"), "web/certs": lazy("网站证书")}
POLICIES = {
    "accept_d": lazy("接受自证的平台"),
    "accept_writer_defects": lazy("容许的写入缺陷"),
    "tsa_policies": lazy("接受的时间戳策略"),
}
FIELDS = {
    "value": lazy("内容"),
    "id": lazy("编号"),
    "title.zh": lazy("名称（中文）"),
    "title.en": lazy("名称（英文）"),
    "court.zh": lazy("法院（中文）"),
    "court.en": lazy("法院（英文）"),
    "demonstration": lazy("演示用"),
    "operator": lazy("运营单位"),
    "hosts": lazy("域名"),
    "registration": lazy("备案或登记号"),
    "checked_on": lazy("最近核对日期"),
    "family": lazy("技术家族"),
    "chain_id": lazy("链标识"),
    "group_id": lazy("群组"),
    "genesis_hash": lazy("创世区块"),
    "suite.hash": lazy("哈希算法"),
    "suite.signature": lazy("签名算法"),
    "suite.sm2_uid": lazy("SM2 用户标识"),
    "consensus": lazy("共识"),
    "path_generation": lazy("证明路径的生成方式"),
    "accept_raw_hit": lazy("接受未登记合约中的命中"),
    "from_height": lazy("自高度"),
    "to_height": lazy("至高度"),
    "quorum": lazy("法定签名权重"),
    "validators": lazy("节点数"),
    "key": lazy("公钥"),
    "cert_sha256": lazy("证书指纹"),
    "weight": lazy("权重"),
    "org": lazy("链上机构"),
    "role": lazy("性质"),
    "node_name": lazy("节点名称"),
    "heights": lazy("在位高度"),
    "height": lazy("区块高度"),
    "hash": lazy("区块哈希"),
    "basis": lazy("从何得知"),
    "recorded_at": lazy("记录时间"),
    "subject": lazy("主体"),
    "issuer": lazy("签发者"),
    "fingerprint": lazy("指纹 SHA-256"),
    "valid": lazy("有效期"),
    "key_kind": lazy("密钥"),
    "size": lazy("字节数"),
    "sha256": lazy("SHA-256"),
}
VALUES = {
    ("role", "platform"): lazy("存证平台"),
    ("role", "court"): lazy("法院"),
    ("role", "neutral"): lazy("公证、鉴定等第三方"),
    ("basis", "independent"): lazy("链的运营方之外独立记录"),
    ("basis", "copied"): lazy("从一个节点抄录"),
    ("to_height", "—"): lazy("不限"),
    ("quorum", "—"): lazy("按公式"),
}
HOW = {How.ADDED: lazy("新增"), How.REMOVED: lazy("删除"), How.CHANGED: lazy("改动")}


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def field(name: str) -> str:
    return str(FIELDS.get(name, name))


def value(name: str, said: str | None) -> str:
    if said is None:
        return ""
    if said in ("true", "false"):
        return _("是") if said == "true" else _("否")
    return str(VALUES.get((name, said), said))


def policy(name: str) -> str:
    return str(POLICIES.get(name, name))


def called(entry: Entry) -> str:
    """`存证平台 某某平台（zhixin）`: kind, name in the reader's language, and where it belongs."""
    language = "en" if in_english() else "zh"
    titles = dict(entry.names)
    title = titles.get(language) or next(iter(titles.values()), "")
    name = f"{title} ({entry.name})" if title else entry.name
    if entry.kind == "policy":
        name = policy(entry.name)
    elif entry.kind == "epoch":
        name = _("高度 %(range)s") % {"range": entry.name}
    elif entry.kind == "checkpoint":
        name = _("高度 %(range)s") % {"range": entry.name}
    kind = KINDS[entry.kind]
    within = FOLDERS.get(entry.within, entry.within)
    return " · ".join(str(part) for part in (kind, within, name) if str(part))


def heading(found: Difference) -> str:
    return f"{HOW[found.how]} {called(found.entry)}"
