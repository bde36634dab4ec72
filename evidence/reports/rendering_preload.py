"""Imported once by the fork server of `rendering`, so that a render starts warm."""

import weasyprint  # noqa: F401
import weasyprint.text.fonts  # noqa: F401

from . import pdf_finish  # noqa: F401
