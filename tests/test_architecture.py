"""Who may import whom, and who may touch the world: the table of the architecture, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

import freelm_integrations

ROOT = Path(freelm_integrations.__file__).parent
OURS = "freelm_integrations"

VALUES = ("chat", "clock", "errors", "events", "version")
FRONT_END = (
    "",
    "batches.batch",
    "client",
    "clock",
    "chat",
    "delta_streams",
    "errors",
    "events",
    "nearest",
    "settings",
    "version",
)

# Room -> what of ours it may import, by the longest name that fits. A room may always import itself;
# "" is the package's own public face.
ROOMS: dict[str, tuple[str, ...]] = {
    "version": (),
    "clock": (),
    "nearest": (),
    "chat": (),
    "delta_streams": ("chat",),
    "errors": ("chat",),
    "events": ("chat",),
    "environment": ("errors", "nearest"),
    "wire": ("chat", "errors"),
    "embedded": ("errors",),
    "providers": ("wire", "errors", "nearest", "environment", "version", "embedded"),
    "pool": (
        "providers.spec",
        "providers.provider",
        "wire.faults",
        "wire.refusals.hints",
        "chat",
        "clock",
    ),
    "pool.ledger": ("pool", "providers.spec", "clock", "errors", "nearest"),
    "routing": ("providers.spec", "providers.provider", "pool.view", "chat", "errors", "nearest"),
    "engine": ("pool", "wire", *VALUES),
    "engine.steps": ("chat", "events", "pool.ledger.claim"),
    "engine.transport": (
        *("engine.steps", "engine.by_httpx", "engine.by_aiohttp", "engine.sockets", "version"),
    ),
    "engine.by_httpx": ("engine.steps", "engine.transport"),
    "engine.by_aiohttp": ("engine.steps", "engine.transport"),
    "engine.pumps": (),
    "engine.afterwards": ("engine.pumps", "chat"),
    "engine.pumped": ("engine.pumps", "engine.steps", "engine.transport"),
    "engine.sockets": ("engine.pumps", "engine.transport", "clock"),
    "engine.http1": ("engine.sockets", "engine.steps", "engine.transport"),
    "engine.blocking": (
        *("engine.http1", "engine.pumped", "engine.sockets", "engine.steps", "engine.transport"),
        *("engine.journal", "chat", "clock", "events", "pool.ledger.claim"),
    ),
    "engine.aio": (
        *("engine.steps", "engine.transport", "engine.journal", "chat", "events"),
        "pool.ledger.claim",
    ),
    "settings": ("providers", "environment", "nearest", "errors", "events", "pool.ledger.address"),
    "connections": (
        *("engine.transport", "engine.by_httpx", "engine.sockets", "engine.afterwards", "chat"),
    ),
    "discovery": ("chat", "clock", "engine.steps", "providers", "routing", "wire"),
    "request": ("chat", "errors", "events", "nearest", "providers.options"),
    "batches": ("chat", "clock", "errors", "events"),
    "planning": ("pool.resets", "providers.spec", "chat"),
    "capacity": ("planning", "pool.snapshot", "providers.spec", "chat", "errors"),
    "embedding": ("chat", "errors", "providers", "routing", "settings"),
    "dispatcher": (
        *VALUES,
        "batches.batch",
        "capacity",
        "discovery",
        "embedding",
        "engine.flight",
        "engine.journal",
        "engine.terms",
        "pool.ledger.asking",
        "pool.shared",
        "providers.keys",
        "providers.provider",
        "providers.spec",
        "pool.view",
        "routing",
        "settings",
        "wire.requests.abilities",
    ),
    "client": (
        *VALUES,
        "batches.batch",
        "capacity",
        "connections",
        "delta_streams",
        "dispatcher",
        "embedding",
        "engine",
        "request",
        "settings",
    ),
    "": (
        "batches.batch",
        "chat",
        "client",
        "embedding",
        "errors",
        "providers.provider",
        "providers.spec",
        "version",
    ),
    "openai": (*FRONT_END, "dispatcher", "providers"),
    "langchain": FRONT_END,
    "llama_index": (*FRONT_END, "providers"),
    "timeline": ("chat", "events"),
    "table": (),
    "rendering": ("chat", "table", "timeline"),
    "display": ("chat", "events", "rendering", "table", "timeline"),
    "command": (
        *FRONT_END,
        *("clock", "demo", "nearest", "providers", "rendering", "table", "version"),
    ),
    "__main__": ("command",),
    "lab": ("nearest",),
    "lab.lab": ("clock", "lab", "nearest"),
    # It shows both front ends at work, over the lab.
    "demo": (*FRONT_END, "display", "embedded", "lab", "langchain", "llama_index"),
}

PURE = (
    *("chat", "errors", "events", "version", "nearest", "environment"),
    *("capacity", "planning", "discovery.drift", "timeline"),
)

# Who may name a module of others. Where there is a reason that does not show, it stands beside.
THIRD_PARTIES: dict[str, tuple[str, ...]] = {
    # The last two for types.
    "httpx": ("engine.transport", "engine.by_httpx", "engine.http1", "connections", "settings"),
    "aiohttp": ("engine.by_aiohttp",),
    "yarl": ("engine.by_aiohttp",),
    "h11": ("engine.http1", "engine.sockets", "lab"),
    # The border: keys are secrets there, and front ends speak their frameworks' pydantic.
    "pydantic": (
        "providers.keys",
        "engine.steps",
        "engine.leg",  # what servers quote of a key is taken out of their words
        "pool.ledger",  # an address may hold a password
        "openai",
        "langchain",
        "llama_index",
    ),
    "pydantic_core": ("llama_index",),
    "platformdirs": ("settings",),
    "typing_extensions": (
        "batches",
        "client",
        "delta_streams",
        "embedded",
        "lab",
        "langchain",
        "llama_index",
        "openai",
        "providers",
        "settings",
    ),
    "langchain_core": ("langchain", "demo.chain"),
    "langchain_protocol": ("langchain.answering", "langchain.protocol"),
    "tenacity": ("langchain",),  # its retry states are what langchain-core's callbacks are told
    "llama_index": ("llama_index", "demo.query"),
    "llama_index_instrumentation": ("llama_index",),
    "rich": ("display",),
    "tqdm": ("batches.bar",),
    "xllamacpp": ("embedded",),
    "redis": ("pool.ledger.redis",),
    "pytest": ("lab.pytest_plugin",),
}

# Modules of Python itself that touch the world or its clocks, and who may.
GUARDED: dict[str, tuple[str, ...]] = {
    "time": ("clock",),
    "random": ("clock",),
    "datetime": (  # calendars are worked out from a given moment, never asked for the present one
        "command",
        "display",
        "pool.resets",
        "routing.retirement",
        "wire.refusals.durations",
        "wire.refusals.moments",
        "lab",
        "langchain",
        "llama_index",
    ),
    "asyncio": (
        "engine.aio",
        "engine.by_aiohttp",  # its timeouts, on Python 3.10
        "engine.afterwards",  # a task beside the calls of a loop
        "client",
        "connections",  # one transport an event loop
        "embedding.running",  # several requests at once
        "pool.ledger.redis",
        "pool.ledger.asking",
        "pool.ledger.sqlite_async",  # hands to a thread what may take its time
        "llama_index.streams",  # what is dropped is closed on its own loop
        "langchain.callbacks",  # async handlers are told from the loop that runs the call
        "lab",
        "demo",
    ),
    "threading": (
        "batches",  # its calls are made anywhere, and its bar is drawn beside them
        "engine.afterwards",
        "engine.blocking",
        "engine.pumped",
        "engine.pumps",
        "engine.sockets",  # the stock of idle ones is everybody's
        "pool.pool",  # the one lock
        "pool.line",
        "pool.shared",  # made once by whoever comes first
        "embedding.spaces",  # what is found and learnt is every client's
        "routing.affinity",  # conversations of all threads have their homes there
        "pool.ledger",
        "discovery",  # one refreshes, the others use what is known
        "connections",  # made once by whoever comes first
        "embedded",  # a server's process is started once
        "timeline",  # told from any thread
        "command.parallel",  # many side by side
        "langchain.clients",
        "langchain.handler",
        "llama_index.configured",
        "llama_index.embedding",
        "lab",
        "demo",
    ),
    "queue": ("engine.pumped", "command.parallel"),
    "select": ("engine.sockets",),
    "socket": ("engine.sockets", "embedded", "lab"),
    "ssl": ("engine.transport", "engine.sockets"),
    "sqlite3": ("pool.ledger",),
    "subprocess": ("embedded",),
    "multiprocessing": (),
    "concurrent": ("lab",),  # many side by side
    "requests": (),
    "urllib.request": (
        "engine.transport",
    ),  # for the environment's proxies; nothing is asked with it
    "pickle": (),
}

NO_TITLES = frozenset({"utils", "util", "helpers", "common", "base", "types", "misc"})
ACTS = {"print": ("demo",), "input": (), "eval": (), "exec": (), "breakpoint": ()}


@dataclass(frozen=True)
class Import:
    """One import as it stands in the source."""

    room: str
    target: str
    line: int
    is_for_types: bool
    is_lazy: bool

    def __str__(self) -> str:
        return f"{self.room or '__init__'}:{self.line} imports {self.target}"


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def modules() -> dict[str, ast.Module]:
    return {
        name_of(path): ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))
    }


@lru_cache(maxsize=1)
def imports() -> tuple[Import, ...]:
    found: list[Import] = []
    for name, tree in modules().items():
        types_only = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for child in block.body
            for node in ast.walk(child)
        }
        for node in ast.walk(tree):
            found += [
                Import(name, target, node.lineno, id(node) in types_only, node.col_offset > 0)
                for target in targets(name, node)
            ]
    return tuple(found)


def targets(name: str, node: ast.AST) -> list[str]:
    """What an import statement names; a name taken from a package may be a module of it."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    assert node.level == 0, f"{name}:{node.lineno} imports relatively"
    source = node.module or ""
    submodules = [f"{source}.{alias.name}" for alias in node.names]
    return [one if ours(one) in modules() else source for one in submodules]


def ours(target: str) -> str | None:
    """A module of ours by its name inside the package, else None."""
    if target == OURS:
        return ""
    return target.removeprefix(OURS + ".") if target.startswith(OURS + ".") else None


def within(module: str, room: str) -> bool:
    return module == room or (room != "" and module.startswith(room + "."))


def room_of(module: str) -> str:
    """The most particular room a module lives in."""
    return max((room for room in ROOMS if within(module, room)), key=len, default="?")


def internal() -> list[tuple[Import, str]]:
    return [(one, inside) for one in imports() if (inside := ours(one.target)) is not None]


def test_every_module_lives_in_a_room_of_the_table() -> None:
    """A new room is a decision: it is written down with who it may import."""
    homeless = [name for name in modules() if room_of(name) == "?"]
    empty = [room for room in ROOMS if not any(within(name, room) for name in modules())]

    assert homeless == []
    assert empty == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    """Also for types alone: knowing a type is knowing its module."""
    wrong = [
        str(one)
        for one, inside in internal()
        if room_of(one.room) == room
        and not within(inside, room)
        and not any(within(inside, other) for other in ROOMS[room])
    ]

    assert wrong == []


def test_the_table_allows_nothing_that_nobody_does() -> None:
    """A permission nobody uses is one that is granted by accident."""
    unused = [
        f"{room or '__init__'} -> {other}"
        for room, others in ROOMS.items()
        for other in others
        if others is not FRONT_END
        and not set(FRONT_END) & {other}
        and not any(
            room_of(one.room) == room and within(inside, other) for one, inside in internal()
        )
    ]

    assert unused == []


@pytest.mark.parametrize("module", sorted(THIRD_PARTIES))
def test_a_third_party_is_named_only_where_it_belongs(module: str) -> None:
    """Frameworks in their front ends, httpx where bytes are sent, and so on."""
    assert strangers(module, THIRD_PARTIES[module]) == []


@pytest.mark.parametrize("module", sorted(GUARDED))
def test_the_world_is_touched_only_at_the_edge(module: str) -> None:
    """No clock, thread, loop or socket below the drivers, but where the table says why."""
    assert strangers(module, GUARDED[module]) == []


def strangers(module: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        str(one)
        for one in imports()
        if within(one.target, module) and not any(within(one.room, room) for room in allowed)
    ]


def test_every_third_party_is_in_the_table() -> None:
    """A new dependency is a decision as well."""
    known = {*THIRD_PARTIES, OURS, "__future__"}
    unknown = {
        str(one)
        for one in imports()
        if (top := one.target.partition(".")[0]) not in known and top not in sys.stdlib_module_names
    }

    assert unknown == set()


@pytest.mark.parametrize("module", ["httpx", "platformdirs", "rich", "xllamacpp"])
def test_what_few_need_is_imported_where_it_is_used(module: str) -> None:
    """Who does not use it does not pay for it; httpx comes with the first request."""
    lazy = {"httpx": ("settings", "connections")}.get(module, THIRD_PARTIES[module])
    eager = [
        str(one)
        for one in imports()
        if within(one.target, module) and any(within(one.room, room) for room in lazy)
        if not (one.is_lazy or one.is_for_types)
    ]

    assert eager == []


def test_nothing_imports_in_a_circle() -> None:
    """Of what is loaded with a module, nothing loads that module again."""
    edges: dict[str, set[str]] = {name: set() for name in modules()}
    for one, inside in internal():
        if not (one.is_for_types or one.is_lazy) and inside in edges and inside != one.room:
            edges[one.room].add(inside)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


@pytest.mark.parametrize(("call", "rooms"), ACTS.items())
def test_a_library_does_not_act_on_its_own(call: str, rooms: tuple[str, ...]) -> None:
    """It does not print, ask, or run text as code."""
    calls = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == call
        and not any(within(name, room) for room in rooms)
    ]

    assert calls == []


@pytest.mark.parametrize("present", ["now", "utcnow", "today", "fromtimestamp"])
def test_no_calendar_is_asked_for_the_present(present: str) -> None:
    """`datetime.now` is a clock that no test can move; a moment of one's own may be converted."""
    clocks = {"now", "utcnow", "today"}
    calls = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == present
        and ast.unparse(node.func.value) in {"datetime", "date", "datetime.datetime"}
        and (present in clocks or not (node.args or node.keywords))
    ]

    assert calls == []


def test_every_module_says_what_it_is() -> None:
    """In a docstring whose first line is a sentence."""
    documented = {name: ast.get_docstring(tree) or "" for name, tree in modules().items()}
    silent = [
        name
        for name, text in documented.items()
        if not text.partition("\n")[0].rstrip().endswith((".", ":"))
    ]

    assert silent == []


def test_no_module_is_named_for_having_no_subject() -> None:
    """A function lives with its subject."""
    assert [name for name in modules() if name.rpartition(".")[2] in NO_TITLES] == []


# Not rich: httpx loads it by itself where it is installed.
FRAMEWORKS = ("langchain_core", "langchain", "llama_index", "xllamacpp", "aiohttp", "pytest")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "freelm_integrations",
            (*FRAMEWORKS, "httpx", "rich", "freelm_integrations.lab", "platformdirs"),
        ),
        ("freelm_integrations.openai", (*FRAMEWORKS, "httpx", "freelm_integrations.lab")),
        ("freelm_integrations.lab", FRAMEWORKS),
        ("freelm_integrations.lab.pytest_plugin", tuple(set(FRAMEWORKS) - {"pytest"})),
        ("freelm_integrations.command.cli", FRAMEWORKS),
        ("freelm_integrations.langchain", ("llama_index", "freelm_integrations.lab")),
        ("freelm_integrations.llama_index", ("langchain_core", "freelm_integrations.lab")),
    ],
)
def test_importing_loads_no_more_than_it_needs(module: str, unwanted: tuple[str, ...]) -> None:
    """Seen in a fresh interpreter."""
    code = f"import {module}, sys; print([name for name in {unwanted!r} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )

    assert ran.stdout.strip() == "[]"
