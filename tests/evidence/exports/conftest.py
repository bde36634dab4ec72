from pathlib import Path
from typing import Any

import pytest

from evidence.exports.queue import EXPORTS

from .desk import Desk, settle


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens in these tests."""
    monkeypatch.setattr(EXPORTS, "ring", lambda: True)


@pytest.fixture
def desk(db: None, settings: Any, tmp_path: Path) -> Desk:
    return Desk(settle(settings, tmp_path))
