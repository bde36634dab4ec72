"""Where bytes lie: evidence vault, keys, trust store, fonts, static files."""

from pathlib import Path

from . import environment as env
from .app import ROOT

PORTAL_DATA_DIR = Path(env.text("DATA_DIR", str(ROOT / "var"))).resolve()
PORTAL_VAULT_DIR = Path(env.text("VAULT_DIR", str(PORTAL_DATA_DIR / "vault")))
PORTAL_TRUST_DIR = Path(env.text("TRUST_DIR", str(ROOT / "evidence" / "verification" / "anchors")))
"""The first trust store: used, and offered for publication, until two people have published one (`evidence.trust`)."""
PORTAL_TRUST_KEY_DIR = Path(env.text("TRUST_KEY_DIR", str(PORTAL_DATA_DIR / "keys" / "trust")))
PORTAL_FONT_DIR = Path(env.text("FONT_DIR", str(ROOT / "portal" / "fonts" / "build")))
PORTAL_SIGNING_DIR = Path(env.text("SIGNING_DIR", str(PORTAL_DATA_DIR / "keys" / "signing")))
PORTAL_EXPORT_DIR = Path(env.text("EXPORT_DIR", str(PORTAL_DATA_DIR / "exports")))
"""Archives to be taken away (`evidence.exports`): copies, no record; web and worker processes share it like the vault."""
PORTAL_EXPORT_DAYS = env.number("EXPORT_DAYS", 7)
PORTAL_EXPORT_MAX = env.number("EXPORT_MAX_MIB", 20 << 10) << 20
"""Bytes of the parties' files in one export."""
PORTAL_UPLOAD_MAX = env.number("UPLOAD_MAX_MIB", 512) << 20
"""Largest single file (spec snapshots §12)."""
PORTAL_QUOTA_PER_CASE = env.number("QUOTA_PER_CASE_MIB", 20 << 10) << 20
PORTAL_UPLOAD_REFUSED = frozenset(env.words("UPLOAD_REFUSED"))
"""Media types this court's policy does not take; none by default, since programs are electronic data too (E14)."""
PORTAL_CLAMD = env.text("CLAMD", "")
"""Socket path or host:port of the court's virus scanner (clamd); empty: files are not scanned."""

STATIC_URL = "/static/"
STATIC_ROOT = PORTAL_DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "portal" / "frontend" / "build"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
