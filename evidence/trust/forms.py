"""The forms of the common edits. Each says what it is about (`prefilled`), what it changes (`members`), and that in a sentence (`said`).

What a form cannot know, above all whether the engine can read the result, is found out when the draft is kept; the error then
names the member.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from evidence.verification import anchor_pack
from evidence.verification.codecs import strict_json

from . import certificates, edits
from .certificates import Facts
from .contents import PATH_MAX, Contents
from .drafts import TITLE_MAX, DraftFault
from .edits import Members
from .entries import Entry

TEXT_MAX = 500
JSON_MAX = 200_000
"""Characters of a member typed into a page; larger ones come in an imported pack."""

POINT_FAMILIES, POINT_BYTES = ("fisco2", "fisco3", "xuperchain"), 64
"""Families that name a validator by the bare point x‖y."""
FINGERPRINT_DIGITS = 64

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def _line(label: Any, **more: Any) -> forms.CharField:
    more.setdefault("max_length", TEXT_MAX)
    return forms.CharField(label=label, widget=forms.TextInput(attrs=_PLAIN), **more)


def _lines(label: Any, rows: int, **more: Any) -> forms.CharField:
    more.setdefault("max_length", JSON_MAX)
    return forms.CharField(label=label, widget=forms.Textarea(attrs={**_PLAIN, "rows": rows}), **more)


def _height(label: Any, **more: Any) -> forms.IntegerField:
    widget = forms.TextInput(attrs={**_PLAIN, "inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=0, max_value=anchor_pack.NUMBER_MAX, widget=widget, **more)


class Title(forms.Form):
    use_required_attribute = False
    title = _line(_("这次要改什么、为什么"), max_length=TITLE_MAX, help_text=_("例如：某某链 11 月 20 日增加一个验证节点"))


class Edit(forms.Form):
    """`pack` is the draft as it stands, `thing` the entry that is changed, None when something is added."""

    use_required_attribute = False
    heading: Any = ""
    about: tuple[str, ...] = ()
    """Kinds of the entry that `?thing=` may name."""
    needs_thing = False
    source = _line(
        _("来源"), help_text=_("这些内容从哪里来、怎样核对的，例如：运营方 2026 年 11 月 20 日盖章函件，电话核对指纹。会写入信任库。")
    )

    def __init__(self, *args: Any, pack: Contents, thing: Entry | None, **kwargs: Any) -> None:
        self.pack, self.thing = pack, thing
        kwargs.setdefault("label_suffix", "")
        if thing is not None:
            kwargs.setdefault("initial", self.prefilled())
        super().__init__(*args, **kwargs)
        self.order_fields([f for f in self.fields if f != "source"])
        for field in self.fields.values():
            field.error_messages["required"] = _("请填写“%(label)s”") % {"label": field.label}

    def prefilled(self) -> dict[str, Any]:
        return {}

    def members(self) -> Members:
        raise NotImplementedError

    def said(self) -> str:
        raise NotImplementedError

    @property
    def folder(self) -> str:
        """The folder of the chain this is about."""
        if self.thing is None:
            raise forms.ValidationError(_("请从某一条链进入。"))
        return self.thing.key[1]


def _many(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class PlatformForm(Edit):
    heading = _("存证平台")
    about = ("platform",)
    id = _line(_("编号"), help_text=_("小写字母、数字和连字符，发布后不要再改"))
    title_zh = _line(_("名称（中文）"))
    title_en = _line(_("名称（英文）"), required=False)
    operator = _line(_("运营单位"))
    hosts = _lines(_("域名"), 3, required=False, help_text=_("一行一个"))
    registration = _line(_("备案或登记号"), required=False)
    seals = _lines(_("登记的印章证书"), 2, required=False, help_text=_("平台印章证书的 SHA-256，一行一个；其上级根证书另行登记"))
    depositors = _lines(_("平台确认的存证人公钥"), 2, required=False, help_text=_("SM2 公钥，十六进制，一行一个"))
    checked_on = forms.DateField(
        label=_("最近核对日期"),
        required=False,
        help_text=_("最近一次核对备案、登记的日期，如 2026-11-22"),
        widget=forms.TextInput(attrs=_PLAIN),
    )

    def prefilled(self) -> dict[str, Any]:
        found: dict[str, Any] = next((p for p in self.pack.json(edits.PLATFORMS).get("platforms") or () if p.get("id") == self._known_as), {})
        title = found.get("title") or {}
        return {
            **{k: found.get(k) for k in ("id", "operator", "registration", "checked_on")},
            "title_zh": title.get("zh"),
            "title_en": title.get("en"),
            **{name: "\n".join(found.get(name) or ()) for name in ("hosts", "seals", "depositors")},
        }

    @property
    def _known_as(self) -> str | None:
        return self.thing.key[3] if self.thing else None

    def members(self) -> Members:
        given = self.cleaned_data
        checked: date | None = given["checked_on"]
        values = {
            "id": given["id"],
            "title": {k: v for k, v in (("zh", given["title_zh"]), ("en", given["title_en"])) if v},
            "operator": given["operator"],
            "hosts": _many(given["hosts"]),
            **{name: _many(given[name]) for name in ("seals", "depositors")},
            "registration": given["registration"] or None,
            "checked_on": checked.isoformat() if checked else None,
        }
        return edits.platform(self.pack, values, known_as=self._known_as)

    def said(self) -> str:
        return str(_("存证平台 %(name)s") % {"name": self.cleaned_data["title_zh"]})


class ChainForm(Edit):
    """The fields every chain has; the others (contracts, suite, what a family asks for) as the JSON of the profile."""

    heading = _("联盟链")
    about = ("chain",)
    FIELDS = ("id", "operator", "family", "chain_id", "consensus")
    directory = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]{0,59}$",
        label=_("目录名"),
        help_text=_("小写字母、数字和连字符，一条链一个目录，定下后不能改"),
        error_messages={"invalid": _("只能用小写字母、数字和连字符")},
        widget=forms.TextInput(attrs=_PLAIN),
    )
    id = _line(_("编号"), help_text=_("结论和报告里这样称呼这条链"))
    title_zh = _line(_("名称（中文）"))
    title_en = _line(_("名称（英文）"), required=False)
    operator = _line(_("运营单位"), help_text=_("与存证平台登记的运营单位写法一致"))
    family = forms.ChoiceField(label=_("技术家族"), choices=[(f, f) for f in anchor_pack.FAMILIES], widget=forms.Select)
    chain_id = _line(_("链标识"), help_text=_("链自己的 chain id、频道名或 bcname"))
    consensus = forms.ChoiceField(
        label=_("共识"),
        choices=[("BFT", _("BFT：多数节点签名才能出块")), ("SINGLE", _("SINGLE：一个节点出块")), ("NONE", _("NONE：出块没有可核对的签名"))],
        widget=forms.RadioSelect,
    )
    rest = _lines(
        _("其余字段（JSON）"),
        12,
        help_text=_("hash、签名算法（suite）、创世区块（genesis_hash）、存证合约（contracts）等，写法见 evidence/verification/trust.py 开头"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.thing is not None:
            self.fields["directory"].disabled = True
        else:
            suite = {"hash": "SM3", "signature": "SM2", "sm2_uid": "1234567812345678"}
            self.fields["rest"].initial = json.dumps({"suite": suite, "genesis_hash": None, "contracts": []}, indent=1)

    def prefilled(self) -> dict[str, Any]:
        found = self.pack.json(f"consortium/{self.folder}/profile.json")
        title = found.pop("title", None) or {}
        named = {name: found.pop(name, None) for name in self.FIELDS}
        rest = json.dumps(found, ensure_ascii=False, indent=1)
        return {**named, "directory": self.folder, "title_zh": title.get("zh"), "title_en": title.get("en"), "rest": rest}

    def clean_rest(self) -> dict[str, Any]:
        rest = _parsed(self.cleaned_data["rest"])
        if twice := sorted({*self.FIELDS, "title"} & set(rest)):
            raise forms.ValidationError(_("%(name)s 在上面已经填写") % {"name": twice[0]})
        return rest

    def members(self) -> Members:
        given = self.cleaned_data
        title = {k: v for k, v in (("zh", given["title_zh"]), ("en", given["title_en"])) if v}
        profile = {**{name: given[name] for name in self.FIELDS}, "title": title, **given["rest"]}
        return edits.chain(self.pack, given["directory"], profile, new=self.thing is None)

    def said(self) -> str:
        return str(_("联盟链 %(name)s") % {"name": self.cleaned_data["title_zh"]})


class EpochForm(Edit):
    heading = _("新的一组验证节点")
    about, needs_thing = ("chain",), True
    first = _height(_("自哪个高度起"), help_text=_("上一组到前一个高度为止；新的一组先沿用上一组的节点，再逐个增减"))
    quorum = _height(_("至少要几份权重的签名"), required=False, help_text=_("不填则按该技术家族的公式"))

    def prefilled(self) -> dict[str, Any]:
        return {}

    def members(self) -> Members:
        return edits.epoch(self.pack, self.folder, first=self.cleaned_data["first"], quorum=self.cleaned_data["quorum"])

    def said(self) -> str:
        return str(_("自高度 %(n)d 起新的一组验证节点") % {"n": self.cleaned_data["first"]})


class ValidatorForm(Edit):
    """Added to a set (thing: the chain), or one that is changed (thing: the validator)."""

    heading = _("验证节点")
    about, needs_thing = ("chain", "validator"), True
    first = forms.ChoiceField(label=_("属于哪一组"), widget=forms.Select)
    key = _lines(_("公钥或证书"), 5, help_text=_("公钥写十六进制或粘贴 PEM；ChainMaker、Fabric 证书模式粘贴节点证书（PEM）"))
    node_name = _line(_("节点名称"), required=False)
    operator = _line(_("运营单位"), help_text=_("实际掌管这个节点密钥的单位；同一单位的几个节点只算一家"))
    org = _line(_("链上机构名"), required=False)
    role = forms.ChoiceField(
        label=_("性质"),
        choices=[("platform", _("存证平台")), ("court", _("法院")), ("neutral", _("公证、鉴定等第三方"))],
        widget=forms.RadioSelect,
    )
    weight = forms.IntegerField(label=_("权重"), min_value=1, initial=1, widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "numeric"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sets: Any = self.fields["first"]
        sets.choices = [(str(e["from_height"]), _("自高度 %(n)s 起") % {"n": e["from_height"]}) for e in reversed(self._epochs())]

    def _epochs(self) -> list[dict[str, Any]]:
        return list(self.pack.json(f"consortium/{self.folder}/validators.json").get("epochs") or ())

    @property
    def _identity(self) -> str | None:
        return self.thing.key[2] if self.thing is not None and self.thing.kind == "validator" else None

    def prefilled(self) -> dict[str, Any]:
        for epoch in reversed(self._epochs()):
            for held in epoch["validators"]:
                if self._identity is not None and edits.identity(held) == self._identity:
                    return {**held, "key": self._identity, "first": str(epoch["from_height"])}
        return {}

    def clean_key(self) -> dict[str, str]:
        given = self.cleaned_data["key"].strip()
        points = str(self.pack.json(f"consortium/{self.folder}/profile.json").get("family")) in POINT_FAMILIES
        if given.startswith("-----BEGIN PUBLIC KEY-----"):
            key = _public_key(given)
            return {"key": (key[-POINT_BYTES:] if points else key).hex()}
        if given.startswith("-----BEGIN"):
            return {"cert_sha256": _certificate(given)[0].fingerprint}
        plain = "".join(given.split()).lower().removeprefix("0x")
        # 32 bytes are no key of any family, but the digest of a certificate.
        return {"cert_sha256": plain} if len(plain) == FINGERPRINT_DIGITS and not points else {"key": plain}

    def members(self) -> Members:
        given = self.cleaned_data
        values = {
            **given["key"],
            "weight": given["weight"],
            "operator": given["operator"],
            "role": given["role"],
            **{name: given[name] or None for name in ("org", "node_name")},
        }
        return edits.validator(self.pack, self.folder, values, first=int(given["first"]), instead_of=self._identity)

    def said(self) -> str:
        return str(_("验证节点 %(name)s") % {"name": self.cleaned_data["node_name"] or self.cleaned_data["operator"]})


class CheckpointForm(Edit):
    heading = _("检查点")
    about, needs_thing = ("chain",), True
    height = _height(_("区块高度"))
    hash = _line(_("区块哈希"), help_text=_("64 位十六进制"))
    basis = forms.ChoiceField(
        label=_("从何得知"),
        choices=[("independent", _("链的运营方之外独立记录（时间戳、比特币锚定、法院留痕）")), ("copied", _("从一个节点抄录"))],
        widget=forms.RadioSelect,
    )
    recorded_at = _line(_("记录时间"), required=False, help_text=_("带时区，如 2026-11-22T08:00:00+08:00"))

    def members(self) -> Members:
        given = self.cleaned_data
        values = {"height": given["height"], "hash": given["hash"], "basis": given["basis"], "recorded_at": given["recorded_at"] or None}
        return edits.checkpoint(self.pack, self.folder, values)

    def said(self) -> str:
        return str(_("检查点 %(n)d") % {"n": self.cleaned_data["height"]})


class OrgRootForm(Edit):
    heading = _("机构根证书")
    about, needs_thing = ("chain",), True
    org = _line(_("链上机构名"))
    pem = _lines(_("根证书（PEM）"), 8)
    from_height = _height(_("自哪个高度起"), required=False)
    to_height = _height(_("到哪个高度止"), required=False)
    role = forms.ChoiceField(
        label=_("在链上的职责（仅 Fabric）"),
        choices=[("", _("不适用")), ("orderer", _("排序机构：为区块签名")), ("member", _("成员机构：背书和提交交易"))],
        required=False,
        widget=forms.RadioSelect,
    )

    def clean_pem(self) -> str:
        _certificate(self.cleaned_data["pem"])
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        given = self.cleaned_data
        values = {"org": given["org"], "pem": given["pem"].strip() + "\n", "from_height": given["from_height"], "to_height": given["to_height"]}
        if given["role"]:
            values["role"] = given["role"]
        return edits.org_root(self.pack, self.folder, values)

    def said(self) -> str:
        return str(_("机构根证书 %(name)s") % {"name": self.cleaned_data["org"]})


class RootForm(Edit):
    heading = _("根证书")
    purpose = forms.ChoiceField(label=_("用来核验什么"), widget=forms.RadioSelect)
    pem = _lines(_("根证书（PEM）"), 10, help_text=_("粘贴后保存，主体、指纹和有效期会列在草案里供核对"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {
            "tsa/certs": _("可信时间戳"),
            "web/certs": _("网站证书（WACZ 域名签名）"),
            "seals/certs": _("电子印章（PDF 签名）"),
        }
        folders = {p.rsplit("/", 1)[0] for p in self.pack.members if p.endswith(".pem") and "/" in p and not p.startswith("consortium/")}
        purpose: Any = self.fields["purpose"]
        purpose.choices = [*known.items(), *((f, f) for f in sorted(folders - set(known)))]

    def clean_pem(self) -> str:
        _certificate(self.cleaned_data["pem"])
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        return edits.root(self.pack, self.cleaned_data["pem"], folder=self.cleaned_data["purpose"])

    def said(self) -> str:
        return str(_("根证书 %(name)s") % {"name": edits.certificate(self.cleaned_data["pem"])[0].common_name})


class RevocationListForm(Edit):
    heading = _("证书吊销列表")
    pem = _lines(_("吊销列表（PEM）"), 10, help_text=_("以 -----BEGIN X509 CRL----- 开头；同一签发者原有的列表会被替换"))

    def clean_pem(self) -> str:
        if certificates.revocation_list(str(self.cleaned_data["pem"]).strip().encode()) is None:
            raise forms.ValidationError(_("这不是 PEM 格式的证书吊销列表。"))
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        return edits.revocation_list(self.pack, self.cleaned_data["pem"])

    def said(self) -> str:
        found = certificates.revocation_list(self.cleaned_data["pem"].strip().encode())
        return str(_("证书吊销列表 %(name)s") % {"name": found.common_name if found else ""})


class PolicyForm(Edit):
    heading = _("核验策略")
    accept_d = _lines(_("接受自证的平台"), 3, required=False, help_text=_("一行一个平台编号：只有平台自己服务的答复（D 级）时也可以得出“核验一致”"))
    accept_writer_defects = _lines(_("容许的写入缺陷"), 3, required=False, help_text=_("一行一个缺陷编号"))
    tsa_policies = _lines(_("接受的时间戳策略"), 3, required=False, help_text=_("一行一个 OID；不填则不限"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = self.pack.json(edits.POLICY)
        for name in ("accept_d", "accept_writer_defects", "tsa_policies"):
            self.fields[name].initial = "\n".join(held.get(name) or ())

    def prefilled(self) -> dict[str, Any]:
        return {}

    def members(self) -> Members:
        names = ("accept_d", "accept_writer_defects", "tsa_policies")
        return edits.policy(self.pack, {name: _many(self.cleaned_data[name]) for name in names})

    def said(self) -> str:
        return str(_("核验策略"))


class MemberForm(Edit):
    """Any member as text: what has no form of its own."""

    heading = _("信任库的一个文件")
    path = _line(_("路径"), max_length=PATH_MAX, help_text=_("例如 platforms.json、consortium/某链/validators.json"))
    text = _lines(_("内容"), 20, required=False)

    def members(self) -> Members:
        text = self.cleaned_data["text"].replace("\r\n", "\n")
        return {self.cleaned_data["path"]: (text.rstrip("\n") + "\n").encode()}

    def said(self) -> str:
        return str(_("文件 %(name)s") % {"name": self.cleaned_data["path"]})


def _certificate(pem: str) -> Sequence[Facts]:
    try:
        return edits.certificate(pem)
    except DraftFault as fault:
        raise forms.ValidationError(str(fault)) from fault


def _public_key(pem: str) -> bytes:
    """A SubjectPublicKeyInfo in DER, whatever its curve: the last 64 bytes of an uncompressed point are x‖y."""
    try:
        der = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))
    except ValueError:
        der = b""
    if len(der) <= POINT_BYTES or der[-POINT_BYTES - 1] != 4:
        raise forms.ValidationError(_("这不是 PEM 格式的椭圆曲线公钥。"))
    return der


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(text.encode())
    except strict_json.JsonError as fault:
        raise forms.ValidationError(_("不是 JSON：%(fault)s") % {"fault": fault}) from fault
    if not isinstance(value, dict):
        raise forms.ValidationError(_("要写成一个 JSON 对象（花括号）"))
    return value


EDITS: Mapping[str, type[Edit]] = {
    "platform": PlatformForm,
    "chain": ChainForm,
    "epoch": EpochForm,
    "validator": ValidatorForm,
    "checkpoint": CheckpointForm,
    "org-root": OrgRootForm,
    "root": RootForm,
    "crl": RevocationListForm,
    "policy": PolicyForm,
    "member": MemberForm,
}
"""By the name in the address of the page."""
