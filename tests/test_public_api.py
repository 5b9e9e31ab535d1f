"""The public names: each importable from where the documentation says, and no others."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import freelm_integrations
from freelm_integrations import errors

ROOT = Path(freelm_integrations.__file__).parent.parent

FACES = [
    "freelm_integrations",
    "freelm_integrations.errors",
    "freelm_integrations.lab",
    "freelm_integrations.langchain",
    "freelm_integrations.llama_index",
    "freelm_integrations.openai",
]

DOCUMENTED = {
    "freelm_integrations": (
        "FreeLLM AsyncFreeLLM OpenRouter GoogleAIStudio NIM Groq Cerebras Mistral Local "
        "Cloudflare ZAI Cohere HuggingFace OVHcloud Kilo "
        "OpenAICompatible ModelSpec Limit EmbedderSpec Vectors VectorSpace FreeLLMError ConfigError NoRouteAnswered "
        "RequestRejected ContextOverflow StreamInterrupted LedgerUnavailable Completion Delta"
    ),
    "freelm_integrations.langchain": "ChatFreeLLM FreeLLMEmbeddings",
    "freelm_integrations.llama_index": (
        "LlamaIndexFreeLLM FreeLLM LlamaIndexFreeEmbedding FreeLLMEmbedding"
    ),
    "freelm_integrations.openai": "OpenAI AsyncOpenAI",
    "freelm_integrations.lab": "Lab",
}


@pytest.mark.parametrize("face", FACES)
def test_what_is_listed_is_there_once_and_in_order(face: str) -> None:
    """`__all__` is sorted as ruff sorts it: constants, classes, functions."""
    module = importlib.import_module(face)
    listed: list[str] = module.__all__

    assert [name for name in listed if not hasattr(module, name)] == []
    assert len(set(listed)) == len(listed)
    assert listed == sorted(listed, key=lambda name: (kind_of(name), name))


def kind_of(name: str) -> int:
    if name.isupper():
        return 0
    return 1 if name[0].isupper() else 2


def test_checkers_and_python_find_the_same_names() -> None:
    """Names are loaded on first use, so what checkers read is written beside what is loaded."""
    tree = ast.parse(Path(freelm_integrations.__file__).read_text("utf-8"))
    (for_checkers,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    read = {
        alias.name: node.module
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert (
        {*read, "__version__"} == set(freelm_integrations.__all__) == set(dir(freelm_integrations))
    )
    for name, home in read.items():
        assert getattr(importlib.import_module(str(home)), name) is getattr(
            freelm_integrations, name
        )


def test_a_name_that_is_not_there_is_no_name() -> None:
    """As of any module: `hasattr` and the import statement know it."""
    assert not hasattr(freelm_integrations, "Nobody")
    with pytest.raises(ImportError, match="Nobody"):
        importlib.import_module("freelm_integrations.Nobody")
    with pytest.raises(AttributeError, match="'freelm_integrations' has no attribute 'Nobody'"):
        _ = freelm_integrations.Nobody  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import freelm_integrations", "freelm_integrations freelm_integrations.version"),
        (
            "import freelm_integrations.lab.pytest_plugin",
            (
                "freelm_integrations freelm_integrations.lab freelm_integrations.lab.pytest_plugin "
                "freelm_integrations.version"
            ),
        ),
    ],
)
def test_nothing_is_loaded_before_it_is_used(code: str, loaded: str) -> None:
    """The plugin is loaded in every test run of our users."""
    ran = run(
        f"{code}; print(*sorted(name for name in sys.modules if 'freelm' in name))", without=""
    )

    assert ran.stdout.split() == loaded.split()


def test_every_name_comes_with_a_star_and_goes_through_a_pickle() -> None:
    """Loaded late, a class is the same class as in its own module."""
    code = (
        "from freelm_integrations import *; import pickle, freelm_integrations as ours;"
        "print(sorted(set(ours.__all__) - set(globals())));"
        "print(pickle.loads(pickle.dumps(Limit)) is Limit, repr(pickle.loads(pickle.dumps("
        "Completion(text='x'))) == Completion(text='x')))"
    )
    ran = run(code, without="")

    assert ran.stdout.splitlines() == ["[]", "True True"]


@pytest.mark.parametrize(
    ("face", "name"), [(face, name) for face, names in DOCUMENTED.items() for name in names.split()]
)
def test_documented_names_can_be_imported_from_where_they_are_documented(
    face: str, name: str
) -> None:
    """And they say what they are."""
    module = importlib.import_module(face)

    assert name in module.__all__
    assert inspect.getdoc(getattr(module, name))


def test_every_exception_is_public_and_of_one_family() -> None:
    """A caller can catch them all by one name."""
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception)
    ]

    assert {kind.__name__ for kind in kinds} == set(errors.__all__)
    assert all(issubclass(kind, errors.FreeLLMError) for kind in kinds)
    assert issubclass(errors.ConfigError, ValueError)


def test_the_tree_of_exceptions_in_the_docstring_is_the_real_one() -> None:
    """It is drawn by hand, so it could drift."""
    drawn = set(
        re.findall(r"[├└]── (\w+)|^    (FreeLLMError)$", errors.__doc__ or "", re.MULTILINE)
    )

    assert {one or other for one, other in drawn} == set(errors.__all__)


def test_the_version_is_one_that_installers_understand() -> None:
    """Three numbers, and what may follow them."""
    assert re.fullmatch(r"\d+\.\d+\.\d+([ab]|rc|\.dev|\.post)?\d*", freelm_integrations.__version__)


def test_the_package_is_typed() -> None:
    """Checkers believe annotations only where this file lies."""
    assert (ROOT / "freelm_integrations" / "py.typed").is_file()


def run(code: str, *, without: str) -> subprocess.CompletedProcess[str]:
    """In a fresh interpreter where the modules named are not installed."""
    hide = "".join(f"sys.modules[{name!r}] = None;" for name in without.split())
    return subprocess.run(
        [sys.executable, "-c", f"import sys; {hide} {code}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("extra", "without", "code"),
    [
        ("langchain", "langchain_core", "import freelm_integrations.langchain"),
        ("llama-index", "llama_index", "import freelm_integrations.llama_index"),
        ("llama-index", "llama_index.core", "import freelm_integrations.llama_index"),
    ],
)
def test_a_missing_extra_is_named(extra: str, without: str, code: str) -> None:
    """The last line of the traceback says what to install."""
    ran = run(code, without=without)

    assert ran.returncode == 1
    assert f"freelm-integrations[{extra}]" in ran.stderr.strip().splitlines()[-1]


def test_a_model_file_without_what_serves_it_names_the_extra(tmp_path: Path) -> None:
    """It is looked for when the model is first asked."""
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + bytes(64))
    code = (
        "from freelm_integrations import FreeLLM, Local;"
        f"FreeLLM(providers=[Local(gguf={str(file)!r})]).text('hello')"
    )
    ran = run(code, without="xllamacpp")

    assert ran.returncode == 1
    assert "freelm-integrations[local]" in ran.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import freelm_integrations.langchain, freelm_integrations.openai",
        "import freelm_integrations.llama_index, freelm_integrations.lab",
        "from freelm_integrations import FreeLLM, Groq; FreeLLM(providers=[Groq('gsk_x')])",
    ],
)
def test_extras_that_are_not_used_are_not_missed(code: str) -> None:
    """Each face needs its own framework and no other."""
    framework = "llama_index" if "langchain" in code else "langchain_core"
    ran = run(code, without=f"{framework} httpx_aiohttp aiohttp xllamacpp rich")

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_command_runs_as_a_module() -> None:
    """`python -m freelm_integrations` is the same as `freellm`."""
    ran = subprocess.run(
        [sys.executable, "-m", "freelm_integrations", "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert ran.returncode == 0
    assert "freellm" in ran.stdout
