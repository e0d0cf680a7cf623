"""The house's rules, as tests: they hold from the first commit and know no exceptions.

Each rule is a function from one file to its offences; `PLANTED` shows every rule an offender and
asserts that it is caught, so that a rule cannot fall asleep.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pytest

from crosswire.venues import NAMES

ROOT = Path(__file__).parent.parent
SOURCE = "src/crosswire/"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_LINE_CHARACTERS = 100

# Which parts a part may import from: inward only. The parts in STATE may import each other.
STATE = {
    "asking",
    "book",
    "orders",
    "positions",
    "risk",
    "quotes",
    "multileg",
    "doubt",
    "reconcile",
}
DOMAIN = {"fixed", "domain"}
INWARD: dict[str, set[str]] = {
    "fixed": {"fixed"},
    "domain": DOMAIN,
    **dict.fromkeys(STATE, DOMAIN | STATE),
    "view": DOMAIN | STATE | {"view"},
    "strategies": DOMAIN | {"strategies", "view"},
    "venues": DOMAIN | {"venues"},
    "engine": DOMAIN | STATE | {"engine", "strategies", "view"},
    "journal": DOMAIN | STATE | {"engine", "journal"},
    "net": DOMAIN | {"net", "venues"},
}
SEE_ALL = {"", "__main__", "app", "sim"}

IMPURE_FOLDERS = ("net/", "journal/", "app/")
IMPURE_MODULES = {
    "aiohttp", "asyncio", "multiprocessing", "picows", "requests", "secrets", "select", "selectors",
    "socket", "sqlalchemy", "ssl", "subprocess", "threading", "time", "urllib.request", "uvloop",
}  # fmt: skip
IMPURE_NAMES = {
    ("date", "today"), ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"),
    ("os", "urandom"), ("uuid", "uuid1"), ("uuid", "uuid4"),
}  # fmt: skip

WHOLE_FILES = (".read_text", ".read_bytes", ".write_text", ".write_bytes")

BANNED_WORDS = {
    "abstract", "base", "common", "factory", "handler", "helper", "helpers", "impl", "manager",
    "misc", "processor", "provider", "service", "util", "utils",
}  # fmt: skip

# Written in halves, so that this file does not offend itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wor" + r"k|roo" + r"t|hom" + r"e|User" + r"s)/[\w.]")
REGISTRY_HOSTS = re.compile(
    r"py" + r"pi\.org|python" + r"hosted|np" + r"mjs|crates" + r"\.io|proxy\.gol" + r"ang|"
    r"extra-ind" + r"ex-url|--ind" + r"ex-url"
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b(?!-)")


class File(NamedTuple):
    """A file of the project: where it is, below the root, and its text."""

    path: str
    text: str

    @property
    def part(self) -> str | None:
        """The part of crosswire it belongs to: "book", "net"; "" for the package's own face."""
        if not self.path.startswith(SOURCE):
            return None
        first = self.path.removeprefix(SOURCE).split("/")[0].removesuffix(".py")
        return "" if first == "__init__" else first

    @property
    def is_pure(self) -> bool:
        """Whether it must do without I/O and the clock."""
        inside = self.path.removeprefix(SOURCE)
        return self.path.startswith(SOURCE) and not inside.startswith(IMPURE_FOLDERS)

    @property
    def module(self) -> str:
        """Its dotted name: crosswire.net.link."""
        parts = self.path.removeprefix("src/").removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def nodes(self) -> list[ast.AST]:
        """Return every node of its syntax tree."""
        return _Trees.nodes(self)


class _Trees:
    """Parsed once for all rules."""

    _parsed: dict[tuple[str, int], list[ast.AST]] = {}

    @classmethod
    def nodes(cls, file: File) -> list[ast.AST]:
        key = (file.path, hash(file.text))
        if key not in cls._parsed:
            cls._parsed[key] = list(ast.walk(ast.parse(file.text)))
        return cls._parsed[key]


class _Project:
    """Everything that is tracked, or would be."""

    @cached_property
    def texts(self) -> list[File]:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return [file for name in names.stdout.splitlines() if (file := self._read(name))]

    @staticmethod
    def _read(name: str) -> File | None:
        try:
            return File(name, (ROOT / name).read_text("utf-8"))
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    @cached_property
    def code(self) -> list[File]:
        return [file for file in self.texts if file.path.endswith(".py")]

    @cached_property
    def source(self) -> list[File]:
        return [file for file in self.code if file.path.startswith(SOURCE)]


PROJECT = _Project()
Offences = Iterator[str]
Rule = Callable[[File], Offences]
Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- the rules, one file at a time -------------------------------------------------------------


def sizes(file: File) -> Offences:
    """Files, functions and lines stay small."""
    lines = file.text.splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield f"{len(lines)} lines"
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_CHARACTERS:
            yield f"line {number}: {len(line)} characters"
    for node in file.nodes():
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"line {node.lineno}: {node.name} has {length} lines"


def _words(name: str) -> set[str]:
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def names(file: File) -> Offences:
    """A module, class or function is named for what it is, not for a role it plays."""
    defined = [(1, part) for part in Path(file.path).with_suffix("").parts]
    for node in file.nodes():
        # A test's name is a sentence, in which a base asset may well be mentioned.
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("test_"):
            defined += [(node.lineno, node.name)]
    for line, name in defined:
        if found := _words(name) & BANNED_WORDS:
            yield f'line {line}: "{name}" ({", ".join(found)})'


def _imports(file: File, *, typing_too: bool = True) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and imported name ("" for a plain import)."""
    left_out = set() if typing_too else _typing_only(file)
    for node in file.nodes():
        if node in left_out:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            package = file.module.split(".")
            if not file.path.endswith("__init__.py"):
                package.pop()
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, module, alias.name


def _typing_only(file: File) -> set[ast.AST]:
    """Return the nodes that only a type checker runs."""
    return {
        inner
        for node in file.nodes()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }


def purity(file: File) -> Offences:
    """Sockets, files, the clock and chance live in net, journal and app alone."""
    if not file.is_pure:
        return
    for line, module, name in _imports(file):
        head = module.split(".")[0]
        if {module, head, f"{module}.{name}"} & IMPURE_MODULES:
            yield f"line {line}: imports {module}"
        if (head, name) in IMPURE_NAMES or (module == "random" and name not in {"", "Random"}):
            yield f"line {line}: imports {module}.{name}"
    for node in file.nodes():
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            yield f"line {node.lineno}: async"
        elif isinstance(node, ast.Attribute):
            value = node.value
            owner = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if (owner, node.attr) in IMPURE_NAMES or (owner == "random" and node.attr != "Random"):
                yield f"line {node.lineno}: {owner}.{node.attr}"
        elif isinstance(node, ast.Call) and not node.args and not node.keywords:
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called == "Random":
                yield f"line {node.lineno}: a generator without a seed"


def files_opened(file: File) -> Offences:
    """The pure parts open no file: they are given its bytes."""
    for node in file.nodes() if file.is_pure else ():
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"open", "os.open", "io.open"} or called.endswith(WHOLE_FILES):
                yield f"line {node.lineno}: {called}()"


def approval(file: File) -> Offences:
    """`risk` alone makes an `Approved`."""
    if file.part in {None, "risk"}:
        return
    for node in file.nodes():
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called == "Approved":
                yield f"line {node.lineno}: makes an Approved"


def catch_all(file: File) -> Offences:
    """Errors are caught by name; everything is caught once, where the program runs.

    What cleans up and raises again catches nothing.
    """
    if file.part is None or file.path == f"{SOURCE}app/live.py":
        return
    for node in file.nodes():
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            caught = {getattr(kind, "id", "") for kind in kinds}
            last = node.body[-1]
            raises_again = isinstance(last, ast.Raise) and last.exc is None
            if (node.type is None or caught & {"Exception", "BaseException"}) and not raises_again:
                yield f"line {node.lineno}: catches everything"


def venue_names(file: File) -> Offences:
    """No venue is named outside its own folder and the list of venues."""
    inside = file.path.removeprefix(SOURCE)
    if file.part is None or inside == "venues/__init__.py":
        return
    for name in NAMES:
        if inside.startswith(f"venues/{name}/"):
            continue
        for number, line in enumerate(file.text.splitlines(), start=1):
            if name in line.lower():
                yield f"line {number}: names {name}"


def docstrings(file: File) -> Offences:
    """A module says what it is; a docstring is one line, or one line, a gap, and the rest."""
    for node in file.nodes():
        if not isinstance(node, ast.Module | ast.ClassDef | Function):
            continue
        lines = (ast.get_docstring(node) or "").splitlines()
        if not lines and isinstance(node, ast.Module) and node.body:
            yield "the module has no docstring"
        if len(lines) > 1 and lines[1].strip():
            yield f"line {getattr(node, 'lineno', 1)}: no empty line after the docstring's first"


def _part_of(module: str, name: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "crosswire":
        return None
    if len(parts) > 1:
        return parts[1]
    return name if name in INWARD or name in SEE_ALL else ""


def direction(file: File) -> Offences:
    """Imports point inward; a venue sees neither another venue nor what is around it."""
    if file.part is None or file.part in SEE_ALL:
        return
    if file.part not in INWARD:
        yield f'the part "{file.part}" has no place in the order of imports'
        return
    allowed = INWARD[file.part]
    is_simulator = "/simulator" in file.path
    for line, module, name in _imports(file):
        part = _part_of(module, name)
        if part is None or part in allowed or (is_simulator and part == "sim"):
            continue
        yield f'line {line}: {file.part} imports "{part or "crosswire"}"'
    venue = file.path.removeprefix(f"{SOURCE}venues/").split("/")[0]
    for line, module, _ in _imports(file) if venue in NAMES else ():
        other = module.removeprefix("crosswire.venues.").split(".")[0]
        if other in NAMES and other != venue:
            yield f"line {line}: {venue} imports {other}"


def places(file: File) -> Offences:
    """No path of one machine and no host of a package registry."""
    for number, line in enumerate(file.text.splitlines(), start=1):
        for found in (*MACHINE_PATHS.findall(line), *REGISTRY_HOSTS.findall(line)):
            yield f"line {number}: {found}"


def unfinished(file: File) -> Offences:
    """What is not done stands in an issue, not in the code."""
    for number, line in enumerate(file.text.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield f"line {number}: {line.strip()}"


CODE_RULES: list[Rule] = [
    sizes, names, purity, files_opened, approval, catch_all, venue_names, docstrings, direction,
]  # fmt: skip
TEXT_RULES: list[Rule] = [places, unfinished]


@pytest.mark.parametrize("rule", [*CODE_RULES, *TEXT_RULES], ids=lambda rule: rule.__name__)
def test_rule_is_kept(rule: Rule) -> None:
    files = PROJECT.code if rule in CODE_RULES else PROJECT.texts
    found = [f"{file.path}: {offence}" for file in files for offence in rule(file)]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


# --- the rules over all files ------------------------------------------------------------------


def circles(files: list[File]) -> list[str]:
    """Return every module that imports itself through others, when the program runs."""
    known = {file.module for file in files}
    edges: dict[str, set[str]] = {}
    for file in files:
        targets = {
            f"{module}.{name}" if f"{module}.{name}" in known else module
            for _, module, name in _imports(file, typing_too=False)
        }
        # Every import runs the packages above it, the package's own face included: not counted.
        edges[file.module] = (targets & known) - {file.module, "crosswire"}
    return sorted(start for start in edges if start in _reachable(start, edges))


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(edges[module])
    return seen


def untested(files: list[File], tests: set[str]) -> list[str]:
    """Return the modules without a test file of their own or of their package."""
    return [file.path for file in files if _holds_code(file) and not _test_files(file) & tests]


def _holds_code(file: File) -> bool:
    if not file.path.endswith("__init__.py"):
        return True
    return any(isinstance(node, Function | ast.ClassDef) for node in file.nodes())


def _test_files(file: File) -> set[str]:
    # The package's face and its `python -m` are tested together.
    parts = file.module.removesuffix(".__main__").split(".")[1:] or ["crosswire"]
    owners = [parts, parts[:-1]]
    ends = [owner[first:] for owner in owners for first in range(len(owner))]
    return {f"tests/test_{'_'.join(end)}.py" for end in ends}


def test_no_module_imports_itself_through_others() -> None:
    assert circles(PROJECT.source) == []


def test_every_module_has_a_test_file() -> None:
    assert untested(PROJECT.source, {file.path for file in PROJECT.code}) == []


# --- every rule catches a planted offender -----------------------------------------------------

HEAD = '"""A module."""\n\n'
PLANTED: list[tuple[Rule, str, str]] = [
    (sizes, "src/crosswire/book.py", HEAD + "x = 1\n" * MAX_FILE_LINES),
    (sizes, "tests/test_book.py", HEAD + f'x = "{"x" * MAX_LINE_CHARACTERS}"\n'),
    (sizes, "bench/x.py", HEAD + "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES),
    (names, "src/crosswire/book.py", HEAD + "class OrderManager: ...\n"),
    (names, "src/crosswire/book.py", HEAD + "def price_helper(): ...\n"),
    (names, "src/crosswire/utils.py", HEAD),
    (purity, "src/crosswire/engine.py", HEAD + "import time\n"),
    (purity, "src/crosswire/engine.py", HEAD + "async def f(): ...\n"),
    (purity, "src/crosswire/sim/flow.py", HEAD + "import random\nrandom.random()\n"),
    (purity, "src/crosswire/sim/flow.py", HEAD + "from random import Random\nRandom()\n"),
    (purity, "src/crosswire/sim/flow.py", HEAD + "from random import choice\n"),
    (purity, "src/crosswire/orders.py", HEAD + "from uuid import uuid4\n"),
    (purity, "src/crosswire/orders.py", HEAD + "import uuid\nuuid.uuid4()\n"),
    (purity, "src/crosswire/risk.py", HEAD + "import datetime\ndatetime.datetime.now()\n"),
    (purity, "src/crosswire/venues/x/session.py", HEAD + "from asyncio import sleep\n"),
    (files_opened, "src/crosswire/sim/recording.py", HEAD + 'open("x")\n'),
    (files_opened, "src/crosswire/sim/recording.py", HEAD + 'Path("x").read_text()\n'),
    (approval, "src/crosswire/engine.py", HEAD + "Approved(command)\n"),
    (catch_all, "src/crosswire/engine.py", HEAD + "try: f()\nexcept Exception: pass\n"),
    (catch_all, "src/crosswire/net/link.py", HEAD + "try: f()\nexcept: pass\n"),
    (catch_all, "src/crosswire/net/http.py", HEAD + "try: f()\nexcept: raise E from None\n"),
    (catch_all, "src/crosswire/engine.py", HEAD + "try: f()\nexcept (E, Exception): pass\n"),
    (venue_names, "src/crosswire/app/cli.py", HEAD + f'x = "{NAMES[0]}"\n'),
    (venue_names, "src/crosswire/book.py", HEAD + f"class {NAMES[0].title()}Book: ...\n"),
    (docstrings, "src/crosswire/book.py", "x = 1\n"),
    (docstrings, "tests/test_book.py", '"""One line that\ngoes on."""\n'),
    (direction, "src/crosswire/domain/nouns.py", HEAD + "import crosswire.book\n"),
    (direction, "src/crosswire/domain/nouns.py", HEAD + "from ..book import Book\n"),
    (direction, "src/crosswire/book.py", HEAD + "from crosswire import engine\n"),
    (direction, "src/crosswire/net/link.py", HEAD + "from crosswire.engine import Engine\n"),
    (direction, "src/crosswire/net/link.py", HEAD + "from crosswire.sim.flow import Flow\n"),
    (direction, f"src/crosswire/venues/{NAMES[0]}/decode.py", HEAD + "import crosswire.sim\n"),
    (direction, "src/crosswire/stray.py", HEAD),
    (places, "docs/x.md", "see /ro" + "ot/notes.txt"),
    (places, "Makefile", "pip install --ind" + "ex-url x"),
    (unfinished, "README.md", "TO" + "DO: all of it"),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_rule_catches_its_offender(rule: Rule, path: str, text: str) -> None:
    assert list(rule(File(path, text)))


def test_rules_leave_the_innocent_alone() -> None:
    text = HEAD + (
        "import random\n\nfrom crosswire.domain import Approved\n"
        "from crosswire.sim.flow import Flow\n\n\n"
        'def step(rng: random.Random, now_ns: int) -> None:\n    """Do it."""\n'
    )
    file = File(f"src/crosswire/venues/{NAMES[0]}/simulator/wire.py", text)
    assert [list(rule(file)) for rule in (*CODE_RULES, *TEXT_RULES)] == [[]] * 11


def test_a_circle_is_caught() -> None:
    there = File("src/crosswire/orders.py", "from crosswire.risk import gate\n")
    back = File("src/crosswire/risk.py", "from crosswire import orders\n")
    assert circles([there, back]) == ["crosswire.orders", "crosswire.risk"]
    typing = File(there.path, f"if TYPE_CHECKING:\n    {there.text}")
    assert circles([typing, back]) == []


def test_a_module_without_a_test_is_caught() -> None:
    files = [File("src/crosswire/net/link.py", ""), File("src/crosswire/net/http.py", "")]
    assert untested(files, {"tests/test_net_link.py"}) == ["src/crosswire/net/http.py"]
    assert untested(files, {"tests/test_net.py"}) == []
