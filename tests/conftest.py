"""What every test may use: the recordings' folder, and one way to run Hypothesis."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
os.environ.setdefault("CROSSWIRE_CAPTURES", str(ROOT.parent / "shared" / "data"))

# No deadlines: no test may depend on how busy the machine is. CI repeats the same examples.
settings.register_profile(
    "crosswire",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("crosswire")


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of recordings, `<venue>/captured/...`; skips where it is absent."""
    folder = Path(os.environ["CROSSWIRE_CAPTURES"])
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: set CROSSWIRE_CAPTURES")
    return folder


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Take back what a command under test made of the logs: the next test listens to them."""
    yield
    structlog.reset_defaults()
