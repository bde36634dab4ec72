"""The platforms whose JSON this engine knows, and which of them wrote an object."""

from collections.abc import Iterable

from . import (
    antchain_bccr,
    baidu_xuper,
    baoquan,
    btoe,
    esign,
    huawei_dac,
    netcourt_hz,
    spc_sifa,
    tbaas,
    zxchain,
)
from .form import Form
from .spellings import normal

FORMS: tuple[Form, ...] = (
    zxchain.FORM,
    btoe.FORM,
    tbaas.FORM,
    baidu_xuper.FORM,
    antchain_bccr.FORM,
    huawei_dac.FORM,
    baoquan.FORM,
    esign.FORM,
    spc_sifa.FORM,
    netcourt_hz.FORM,
)
IDS = frozenset(f.platform for f in FORMS)


def recognise(names: Iterable[str], text: str) -> tuple[Form, ...]:
    """Every platform that writes objects with these member names: one, none, or several, which the caller must say.

    text   the values, one after another, for platforms that are known by what they say
    """
    present = frozenset(map(normal, names))
    return tuple(f for f in FORMS if f.kind(present, text) is not None)
