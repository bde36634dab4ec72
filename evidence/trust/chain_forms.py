"""The forms of a chain: its profile, sets of validators, validators, checkpoints, organisations' roots."""

import base64
import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from evidence.verification import anchor_pack
from evidence.verification.codecs import strict_json

from . import edits
from .editing import PLAIN, Edit, certificate_in, height_field, line, lines
from .edits import Members

POINT_FAMILIES, POINT_BYTES = ("fisco2", "fisco3", "xuperchain"), 64
"""Families that name a validator by the bare point x‖y."""
FINGERPRINT_DIGITS = 64


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
        widget=forms.TextInput(attrs=PLAIN),
    )
    id = line(_("编号"), help_text=_("结论和报告里这样称呼这条链"))
    title_zh = line(_("名称（中文）"))
    title_en = line(_("名称（英文）"), required=False)
    operator = line(_("运营单位"), help_text=_("与存证平台登记的运营单位写法一致"))
    family = forms.ChoiceField(label=_("技术家族"), choices=[(f, f) for f in anchor_pack.FAMILIES], widget=forms.Select)
    chain_id = line(_("链标识"), help_text=_("链自己的 chain id、频道名或 bcname"))
    consensus = forms.ChoiceField(
        label=_("共识"),
        choices=[("BFT", _("BFT：多数节点签名才能出块")), ("SINGLE", _("SINGLE：一个节点出块")), ("NONE", _("NONE：出块没有可核对的签名"))],
        widget=forms.RadioSelect,
    )
    rest = lines(
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
    first = height_field(_("自哪个高度起"), help_text=_("上一组到前一个高度为止；新的一组先沿用上一组的节点，再逐个增减"))
    quorum = height_field(_("至少要几份权重的签名"), required=False, help_text=_("不填则按该技术家族的公式"))

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
    key = lines(_("公钥或证书"), 5, help_text=_("公钥写十六进制或粘贴 PEM；ChainMaker、Fabric 证书模式粘贴节点证书（PEM）"))
    node_name = line(_("节点名称"), required=False)
    operator = line(_("运营单位"), help_text=_("实际掌管这个节点密钥的单位；同一单位的几个节点只算一家"))
    org = line(_("链上机构名"), required=False)
    role = forms.ChoiceField(
        label=_("性质"),
        choices=[("platform", _("存证平台")), ("court", _("法院")), ("neutral", _("公证、鉴定等第三方"))],
        widget=forms.RadioSelect,
    )
    weight = forms.IntegerField(label=_("权重"), min_value=1, initial=1, widget=forms.TextInput(attrs={**PLAIN, "inputmode": "numeric"}))

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
            return {"cert_sha256": certificate_in(given)[0].fingerprint}
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
    height = height_field(_("区块高度"))
    hash = line(_("区块哈希"), help_text=_("64 位十六进制"))
    basis = forms.ChoiceField(
        label=_("从何得知"),
        choices=[("independent", _("链的运营方之外独立记录（时间戳、比特币锚定、法院留痕）")), ("copied", _("从一个节点抄录"))],
        widget=forms.RadioSelect,
    )
    recorded_at = line(_("记录时间"), required=False, help_text=_("带时区，如 2026-11-22T08:00:00+08:00"))

    def members(self) -> Members:
        given = self.cleaned_data
        values = {"height": given["height"], "hash": given["hash"], "basis": given["basis"], "recorded_at": given["recorded_at"] or None}
        return edits.checkpoint(self.pack, self.folder, values)

    def said(self) -> str:
        return str(_("检查点 %(n)d") % {"n": self.cleaned_data["height"]})


class OrgRootForm(Edit):
    heading = _("机构根证书")
    about, needs_thing = ("chain",), True
    org = line(_("链上机构名"))
    pem = lines(_("根证书（PEM）"), 8)
    from_height = height_field(_("自哪个高度起"), required=False)
    to_height = height_field(_("到哪个高度止"), required=False)
    role = forms.ChoiceField(
        label=_("在链上的职责（仅 Fabric）"),
        choices=[("", _("不适用")), ("orderer", _("排序机构：为区块签名")), ("member", _("成员机构：背书和提交交易"))],
        required=False,
        widget=forms.RadioSelect,
    )

    def clean_pem(self) -> str:
        certificate_in(self.cleaned_data["pem"])
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        given = self.cleaned_data
        values = {"org": given["org"], "pem": given["pem"].strip() + "\n", "from_height": given["from_height"], "to_height": given["to_height"]}
        if given["role"]:
            values["role"] = given["role"]
        return edits.org_root(self.pack, self.folder, values)

    def said(self) -> str:
        return str(_("机构根证书 %(name)s") % {"name": self.cleaned_data["org"]})


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
