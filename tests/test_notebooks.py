"""Every notebook runs from top to bottom on the lab, quietly, and the outputs it keeps are true.

Each is run once, in a fresh kernel, in an empty folder, with no sockets but loopback. After a change
of a notebook, or of what it shows, write its outputs anew and look at the difference:

    REFRESH_NOTEBOOKS=1 uv run pytest tests/test_notebooks.py
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
IS_REFRESHING = bool(os.environ.get("REFRESH_NOTEBOOKS"))
SECONDS_A_CELL = 60

KERNEL_STARTUP = """
import pytest_socket
pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
"""

PROMISES = {
    "01_quickstart": {
        "lab": ["openrouter", "google", "nim", "groq", "cerebras", "mistral"],
        "text": ["sky"],
        "stream": ["|", "purr"],
        "completion": ["provider:", "model:", "key:", "tokens:", "attempts: 1"],
        "failover": ["throttled", "answered"],
        "resting": ["ready", " s"],
        "observer": ["freelm.attempt_failed", "overloaded", "freelm.provider_switched"],
        "screen": ["server error", "median ms"],
        "seam": ["...", "connection broke in mid-answer", "carries on after", "characters"],
        "totals": ["2 calls, 2 answers", "1 seam", "tokens"],
        "keys": ["unauthorized", "answered"],
        "models": ["chat:fast", "gemma-4-31b", "mistral/auto"],
        "models-list": ["live", "context"],
        "explain": ["1. ", "left out: ", "costs money"],
        "capacity": ["left", "limit"],
        "async": ["peru", "kenya", "japan"],
        "async-stream": ["dew"],
        "config-error": ["did you mean 'gemma-4-31b'", "did you mean 'temperature'"],
        "no-route": ["no route answered", "expected back in", "overloaded"],
        "langchain": ["lighthouses"],
        "langchain-metadata": [" "],
        "llama-index": ["1698"],
        "openai": ["comet"],
    },
    "02_langchain": {
        "chain": ["lighthouses"],
        "metadata": ["model_provider: freelm"],
        "failover": ["[groq failed: overloaded]", "[on to google]", "purr"],
        "seam": ["glacier", "carried on by"],
        "agent": ["get_weather({'city': 'Oslo'})", "tool: It rains in Oslo.", "failed"],
        "structured": ["function_calling City", "json_schema City", "json_mode City"],
        "thread": ["of no thread:  True", "of one thread: False"],
        "picture": ["Figure"],
        "totals": ["3 calls, 3 answers", "2 failovers"],
    },
    "03_llama_index": {
        "complete": ["sky"],
        "chat": ["leaves", "provider:", "model:", "tokens:"],
        "stream": ["|", "dew"],
        "async": ["peru", "kenya", "japan"],
        "index": ["embedded by", "nodes"],
        "query": ["Eddystone rocks off Plymouth", "lighthouses"],
        "query-stream": ["|", "Plymou"],
        "query-async": ["Eddystone rocks off Plymouth"],
        "loops": ["requests: 5"],
        "talk": ["Eddystone", "Cordouan", "4 messages"],
        "structured": ["Tower ['metres', 'name']"],
        "failover": ["[groq failed: overloaded]", "[on to google]", "[on to mistral]", "Plymouth"],
        "seam": ["glacier", "carried on by", "integrity: stitched"],
        "agent": ["failed: throttled", "multiply({'a': 6, 'b': 7}) = 42", "answered by nim"],
        "picture": ["Figure"],
        "totals": ["6 answers", "2 failovers"],
        "quota": ["Figure"],
        "costs": ["query, refine", "query, router"],
        "patience": ["refused: 0 of 8", "faithful: True"],
    },
}
"""What the text of a notebook promises: words to be found in the output of the cell of that id."""


@dataclass(frozen=True)
class Run:
    """A notebook as it is kept, and as it came out just now."""

    path: Path
    kept: Any
    fresh: Any


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One execution, shared by the tests of this file."""
    path: Path = request.param
    kept = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    for cell in code_of(fresh):
        cell.outputs, cell.execution_count = [], None
    home, empty = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, home)
        client = NotebookClient(
            fresh,
            kernel_name="python3",
            timeout=SECONDS_A_CELL,
            allow_errors=False,
            coalesce_streams=True,
            record_timing=False,
            resources={"metadata": {"path": str(empty)}},
        )
        client.execute()
    assert not list(empty.iterdir()), "a notebook leaves nothing behind"
    if IS_REFRESHING:
        keep(path, kept, fresh)
    return Run(path, kept, fresh)


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Keep the developer's kernels, start-up files and keys out, and the network."""
    for name in list(os.environ):
        if name.startswith("FREELM_") or name.endswith("_API_KEY"):
            patch.delenv(name)
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "only_loopback.py").write_text(KERNEL_STARTUP, encoding="utf-8")
    patch.setenv("IPYTHONDIR", str(home / "ipython"))
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        patch.setenv(f"JUPYTER_{kind}_DIR", str(home / kind.lower()))
    patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    patch.setenv("FREELM_CACHE_DIR", str(home / "cache"))
    patch.setenv("PYTHONWARNINGS", "default")


def keep(path: Path, kept: Any, fresh: Any) -> None:
    """Write the fresh outputs into the file; source, ids and metadata stay as they are."""
    for old, new in zip(code_of(kept), code_of(fresh), strict=True):
        old.outputs, old.execution_count = new.outputs, new.execution_count
    path.write_text(nbformat.writes(kept, indent=1) + "\n", encoding="utf-8")


def code_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(cell: Any) -> str:
    """What a cell shows as plain text, on standard output or as a display."""
    parts = [
        output.text if output.output_type == "stream" else output.data.get("text/plain", "")
        for output in cell.outputs
    ]
    return "".join(parts)


def written(cell: Any) -> str:
    """All that a cell shows but its pictures, in which any letters may stand."""
    shown = [dict(output) for output in cell.outputs]
    for output in shown:
        data = output.get("data", {})
        output["data"] = {kind: data[kind] for kind in data if not kind.startswith("image/")}
    return str(shown)


def without_numbers(text: str) -> str:
    """A time or a count may differ from run to run, and with it the width of a column."""
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "#", text))


def test_nothing_is_written_to_standard_error(run: Run) -> None:
    """No warning and no progress bar: what a reader sees is what the cell is about."""
    noise = {
        cell.id: output.text
        for cell in code_of(run.fresh)
        for output in cell.outputs
        if output.get("name") == "stderr"
    }

    assert noise == {}


def test_outputs_hold_what_the_text_promises(run: Run) -> None:
    """Each promise is met in the cell that makes it."""
    cells = {cell.id: said(cell) for cell in code_of(run.fresh)}
    promises = PROMISES.get(run.path.stem, {})
    broken = [
        (name, words)
        for name, all_words in promises.items()
        for words in all_words
        if words not in cells[name]
    ]

    assert broken == []


def test_kept_outputs_are_those_of_today(run: Run) -> None:
    """Numbers aside, whoever reads the file sees what running it would show."""
    kept = {cell.id: without_numbers(said(cell)) for cell in code_of(run.kept)}
    fresh = {cell.id: without_numbers(said(cell)) for cell in code_of(run.fresh)}

    assert kept == fresh, "see the top of this file for how to refresh them"


def test_kept_files_tell_nothing_of_the_machine(run: Run) -> None:
    """No path, no port, no times of execution, no version of somebody's Python."""
    text = run.path.read_text(encoding="utf-8")
    outputs = "".join(map(written, code_of(run.kept)))

    assert run.kept.metadata.language_info == {"name": "python"}
    assert all(cell.metadata == {} for cell in run.kept.cells)
    assert not [word for word in (sys.prefix, str(Path.home()), str(FOLDER)) if word in text]
    assert "127.0.0.1" not in outputs
    assert "0x" not in outputs


def test_cells_have_names_that_stay(run: Run) -> None:
    """Ids are words, so that a difference names the cell it is in, and every cell was run in order."""
    ids = [cell.id for cell in run.kept.cells]
    counts = [cell.execution_count for cell in code_of(run.kept)]

    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert counts == list(range(1, len(counts) + 1))


def test_there_are_notebooks() -> None:
    """An empty folder would pass all of the above."""
    assert NOTEBOOKS
