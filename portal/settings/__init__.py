"""Settings, one file per concern; everything that differs between courts comes from the environment (PORTAL_…)."""

from .app import *  # noqa: F403
from .jobs import *  # noqa: F403
from .observability import *  # noqa: F403
from .security import *  # noqa: F403
from .storage import *  # noqa: F403
