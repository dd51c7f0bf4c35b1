"""What the tests of training tasks share."""

from __future__ import annotations

from pathlib import Path

import pytest
from skies import write_skies


@pytest.fixture(scope="session")
def panoramas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of panoramas of both splits."""
    folder = tmp_path_factory.mktemp("panoramas")
    write_skies(folder)
    return folder
