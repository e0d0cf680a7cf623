"""The package's face: every public name is there, and none of them is loaded before its use."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import crosswire
from crosswire import venues


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_public_name_is_there() -> None:
    names = [name for name in dir(crosswire) if name != "__version__"]
    assert "connect" in names
    assert all(getattr(crosswire, name) is not None for name in names)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute nothing"):
        getattr(crosswire, "noth" + "ing")


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ("aiohttp", "sqlalchemy", "pydantic", "coincurve", "crosswire.app.live")
    code = f"import crosswire, sys; print([name for name in {heavy!r} if name in sys.modules])"
    assert run("-c", code).stdout.strip() == "[]"


def test_an_action_is_signed_without_anything_else() -> None:
    signer = crosswire.Signer("0x" + "1" * 64, is_mainnet=False)
    signed = crosswire.sign_action({"type": "noop"}, signer, 1_700_000_000_000)
    assert signed.nonce == 1_700_000_000_000
    assert set(signed.signature) == {"r", "s", "v"}
    with pytest.raises(AttributeError, match="has no attribute nothing"):
        getattr(venues, "noth" + "ing")


def test_it_has_the_version_it_was_installed_with() -> None:
    assert crosswire.__version__ == version("crosswire")


def test_the_command_line_starts() -> None:
    done = run("-c", "from crosswire.app.cli import main; main()", "--help")
    assert done.returncode == 0
    assert "demo" in done.stdout
