"""What may stand in a safe view: elements, attributes, and what becomes of the rest. Whoever adds a name answers for it."""

from __future__ import annotations

KEPT = frozenset(
    "a abbr acronym address article aside b bdi bdo big blockquote body br button caption center cite code col colgroup data dd del"
    " details dfn dialog dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd"
    " label legend li main mark menu meter nav nobr ol optgroup option output p pre progress q rp rt ruby s samp search section select"
    " small span strike strong sub summary sup table tbody td textarea tfoot th thead time tr tt u ul var wbr".split()
)
"""Written under their own names; what is neither here nor below becomes a `span`."""
RENAMED = {"form": "div", "listing": "pre", "xmp": "pre", "plaintext": "pre", "marquee": "div"}
VOID = frozenset("br col hr img input wbr".split())
FRAMES = frozenset("iframe frame object embed applet portal fencedframe".split())
MEDIA = frozenset("audio video".split())
DROPPED = FRAMES | MEDIA | frozenset(
    "script template noscript noembed noframes frameset canvas map area param source track base meta title head basefont bgsound"
    " keygen isindex math svg".split()
)
"""With all that they hold."""
LOST = dict.fromkeys(FRAMES, "〔内嵌页面未显示 frame not shown〕") | dict.fromkeys(MEDIA, "〔音视频未显示 media not shown〕")
"""What stands in their place."""
INPUTS = frozenset("text search tel url email number date time datetime-local month week range color checkbox radio submit button reset".split())
"""Kinds of `input` that are shown, all out of use; what a password field holds is nobody's business."""
CONTROLS = frozenset("button input select textarea fieldset optgroup option".split())
ADDRESSES = {"a": ("href", "xlink:href"), "q": ("cite",), "blockquote": ("cite",)}
"""Addresses that are shown as words."""
SHARED = frozenset(
    "class id lang dir title hidden align valign width height bgcolor color border cellpadding cellspacing nowrap role".split()
)
OWN: dict[str, frozenset[str]] = {
    "html": frozenset(),
    "body": frozenset(("text", "link", "leftmargin", "topmargin", "marginwidth", "marginheight")),
    "img": frozenset(("alt", "hspace", "vspace")),
    "input": frozenset(("type", "value", "placeholder", "checked", "size", "min", "max", "step")),
    "textarea": frozenset(("rows", "cols", "placeholder")),
    "option": frozenset(("selected", "label")),
    "optgroup": frozenset(("label",)),
    "select": frozenset(("size", "multiple")),
    "td": frozenset(("colspan", "rowspan", "scope", "abbr")),
    "th": frozenset(("colspan", "rowspan", "scope", "abbr")),
    "col": frozenset(("span",)),
    "colgroup": frozenset(("span",)),
    "table": frozenset(("rules", "frame", "summary")),
    "ol": frozenset(("start", "type", "reversed")),
    "ul": frozenset(("type",)),
    "li": frozenset(("value", "type")),
    "font": frozenset(("face", "size")),
    "hr": frozenset(("size", "noshade")),
    "br": frozenset(("clear",)),
    "details": frozenset(("open",)),
    "dialog": frozenset(("open",)),
    "meter": frozenset(("value", "min", "max", "low", "high", "optimum")),
    "progress": frozenset(("value", "max")),
    "time": frozenset(("datetime",)),
    "del": frozenset(("datetime",)),
    "ins": frozenset(("datetime",)),
    "data": frozenset(("value",)),
}
