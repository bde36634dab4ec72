"""What the pages call things: kinds of entries and their fields. A field that is not named here shows by its own name."""

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .difference import Difference, How
from .entries import Entry

KINDS = {
    "court": _("法院和标识"),
    "policy": _("核验策略"),
    "platform": _("存证平台"),
    "chain": _("联盟链"),
    "epoch": _("验证节点组"),
    "validator": _("验证节点"),
    "org_root": _("机构根证书"),
    "checkpoint": _("检查点"),
    "root": _("根证书"),
    "crl": _("证书吊销列表"),
    "object": _("其他内容"),
    "file": _("文件"),
}
FOLDERS = {"tsa/certs": _("可信时间戳"), "web/certs": _("网站证书"), "seals/certs": _("电子印章"), "seals/crls": _("电子印章")}
POLICIES = {
    "accept_d": _("接受自证的平台"),
    "accept_writer_defects": _("容许的写入缺陷"),
    "tsa_policies": _("接受的时间戳策略"),
}
FIELDS = {
    "value": _("内容"),
    "id": _("编号"),
    "title.zh": _("名称（中文）"),
    "title.en": _("名称（英文）"),
    "court.zh": _("法院（中文）"),
    "court.en": _("法院（英文）"),
    "demonstration": _("演示用"),
    "operator": _("运营单位"),
    "hosts": _("域名"),
    "registration": _("备案或登记号"),
    "checked_on": _("最近核对日期"),
    "seals": _("登记的印章证书"),
    "family": _("技术家族"),
    "chain_id": _("链标识"),
    "group_id": _("群组"),
    "genesis_hash": _("创世区块"),
    "suite.hash": _("哈希算法"),
    "suite.signature": _("签名算法"),
    "suite.sm2_uid": _("SM2 用户标识"),
    "consensus": _("共识"),
    "path_generation": _("证明路径的生成方式"),
    "accept_raw_hit": _("接受未登记合约中的命中"),
    "execution_basis": _("登记生效的依据"),
    "from_height": _("自高度"),
    "to_height": _("至高度"),
    "quorum": _("法定签名权重"),
    "validators": _("节点数"),
    "key": _("公钥"),
    "cert_sha256": _("证书指纹"),
    "weight": _("权重"),
    "org": _("链上机构"),
    "role": _("性质"),
    "node_name": _("节点名称"),
    "heights": _("在位高度"),
    "height": _("区块高度"),
    "hash": _("区块哈希"),
    "basis": _("从何得知"),
    "recorded_at": _("记录时间"),
    "subject": _("主体"),
    "issuer": _("签发者"),
    "fingerprint": _("指纹 SHA-256"),
    "valid": _("有效期"),
    "key_kind": _("密钥"),
    "depositors": _("平台确认的存证人公钥"),
    "updated": _("本次更新"),
    "revoked": _("已吊销的证书数"),
    "size": _("字节数"),
    "sha256": _("SHA-256"),
}
VALUES = {
    ("role", "platform"): _("存证平台"),
    ("role", "court"): _("法院"),
    ("role", "neutral"): _("公证、鉴定等第三方"),
    ("role", "orderer"): _("排序机构：为区块签名"),
    ("role", "member"): _("成员机构：背书和提交交易"),
    ("execution_basis", "ordering_only"): _("经排序写入区块即可"),
    ("execution_basis", "peers"): _("须由独立节点证实"),
    ("basis", "independent"): _("链的运营方之外独立记录"),
    ("basis", "copied"): _("从一个节点抄录"),
    ("to_height", "—"): _("不限"),
    ("quorum", "—"): _("按公式"),
}
HOW = {How.ADDED: _("新增"), How.REMOVED: _("删除"), How.CHANGED: _("改动")}


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def field(name: str) -> str:
    return str(FIELDS.get(name, name))


def value(name: str, said: str | None) -> str:
    if said is None:
        return ""
    if said in ("true", "false"):
        return str(_("是") if said == "true" else _("否"))
    return str(VALUES.get((name, said), said))


def policy(name: str) -> str:
    return str(POLICIES.get(name, name))


def called(entry: Entry, *, alone: bool = True) -> str:
    """`存证平台 · 某某平台 (zhixin)`: kind, where it belongs, and its name in the reader's language. `alone` False: the name only, for a
    list that says the rest in its heading."""
    titles = dict(entry.names)
    title = titles.get("en" if in_english() else "zh") or next(iter(titles.values()), "")
    name = f"{title} ({entry.name})" if title else entry.name
    if entry.kind == "policy":
        name = policy(entry.name)
    elif entry.kind in ("epoch", "checkpoint"):
        name = str(_("高度 %(range)s") % {"range": entry.name})
    if not alone:
        return name or str(KINDS[entry.kind])
    within = FOLDERS.get(entry.within, entry.within)
    return " · ".join(str(part) for part in (KINDS[entry.kind], within, name) if str(part))


def heading(found: Difference) -> str:
    return str(_("%(how)s：%(name)s") % {"how": HOW[found.how], "name": called(found.entry)})
