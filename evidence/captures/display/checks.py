"""The installer's voice on the host of evidence."""

from django.conf import settings
from django.core import checks

from . import origin


@checks.register("security")
def evidence_host_apart(app_configs: object, **_: object) -> list[checks.CheckMessage]:
    wrong = origin.fault()
    hint = "Set it to an origin on a host that serves nothing else, for example:  PORTAL_EVIDENCE_ORIGIN=https://shown.court-evidence.example"
    if wrong:
        return [checks.Error(f"PORTAL_EVIDENCE_ORIGIN={settings.PORTAL_EVIDENCE_ORIGIN} {wrong}.", hint=hint, id="portal.E040")]
    if origin.usable() is None:
        return [checks.Warning("PORTAL_EVIDENCE_ORIGIN is not set: safe views of captured pages are not shown.", hint=hint, id="portal.W040")]
    return []
