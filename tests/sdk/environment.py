"""An environment of its own for each foreign package, made once and kept beside ours."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def python_of(name: str, *packages: str) -> Path:
    """Return the interpreter of `.venv-sdk-<name>`, installing the packages where they lack.

    `RuntimeError` with the installer's last line if that fails.
    """
    folder = ROOT / f".venv-sdk-{name}"
    stamp = folder / ".ready"
    wanted = "\n".join(packages)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {' '.join(packages)} into {folder.name} ...", flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    stamp.write_text(wanted)
    return python
