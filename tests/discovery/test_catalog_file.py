"""The file of model lists: private, whole or absent, and believed no longer than it deserves."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freelm_integrations.discovery.catalog_file import (
    KEPT_FOR,
    LARGEST,
    VERSION,
    CatalogFiles,
    Saved,
)
from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

has_modes = pytest.mark.skipif(sys.platform == "win32", reason="modes mean something else there")
NOW = 1_795_348_800.0
OWL = ModelSpec("owl-7b", tags=("fast", "tools"), context=8192, output=1024, family="owl")
ELK = ModelSpec("elk", free=False, aliases=("elk-2512",), retires_on="2026-12-31")
ACME = "acme https://acme.example/v1"
LISTS = {ACME: Saved(NOW, (OWL, ELK))}


def put(home: Path, content: object) -> CatalogFiles:
    """Files of which acme's holds this."""
    files = CatalogFiles(home)
    path = files.path(ACME)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return files


def names(home: Path) -> list[str]:
    return sorted(path.name for path in home.rglob("*") if path.is_file())


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every field of a model but its limits, which are declared and never stored."""
    CatalogFiles(tmp_path).write(LISTS, NOW)

    assert CatalogFiles(tmp_path).read([ACME, "other"], NOW - 1) == LISTS
    assert CatalogFiles(tmp_path).read([ACME], NOW) == {}


def test_nothing_is_made_before_it_is_written(tmp_path: Path) -> None:
    """Not even the folder; a file that is absent is no warning."""
    files = CatalogFiles(tmp_path / "deep" / "down")

    assert files.read([ACME], 0) == {}
    assert list(tmp_path.iterdir()) == []


@has_modes
def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """So is the folder, whatever the umask."""
    before = os.umask(0)
    try:
        CatalogFiles(tmp_path / "cache").write(LISTS, NOW)
    finally:
        os.umask(before)
    folder, file = (tmp_path / "cache").rglob("*")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@has_modes
def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    """It is replaced, not written into."""
    files = put(tmp_path, {})
    files.write(LISTS, NOW)

    assert stat.S_IMODE(files.path(ACME).stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_breaks_off_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Also when it is the user who breaks it off."""
    files = CatalogFiles(tmp_path)
    files.write(LISTS, NOW)

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "replace", broken)
    try:
        files.write({ACME: Saved(NOW, (ELK,))}, NOW)
    except KeyboardInterrupt:
        assert isinstance(error, KeyboardInterrupt)

    assert names(tmp_path) == [files.path(ACME).name]
    assert files.read([ACME], 0) == LISTS


def test_each_endpoint_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Those of one name too: what is there depends on the address."""
    files = CatalogFiles(tmp_path)
    lists = {f"acme https://{place}/v1": Saved(NOW, (ModelSpec(place),)) for place in "abc"}
    files.write(lists, NOW)
    files.write({ACME: Saved(NOW, (ELK,))}, NOW)

    assert files.read(lists, 0) == lists
    assert len(names(tmp_path)) == 4
    assert all(name.startswith("acme-") for name in names(tmp_path))


@pytest.mark.parametrize("name", ["../../up", "a/b", "a\0b", "x" * 300, "", "örk https://x", "con"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever an endpoint is called."""
    files = CatalogFiles(tmp_path / "cache")
    files.write({name: Saved(NOW, (OWL,))}, NOW)

    assert files.read([name], 0) == {name: Saved(NOW, (OWL,))}
    assert files.path(name).parent.parent == tmp_path / "cache"
    assert files.path(name).name.isascii()


def test_what_nobody_can_use_any_more_is_removed(tmp_path: Path) -> None:
    """Old lists, and what a process that died left half written; nothing that is not ours."""
    files = CatalogFiles(tmp_path)
    files.write(LISTS, NOW)
    folder = files.path(ACME).parent
    for name in ("gone.json", "gone.json8f3k2", "mine.txt"):
        (folder / name).write_text("")
        os.utime(folder / name, (NOW - KEPT_FOR - 1, NOW - KEPT_FOR - 1))
    os.utime(files.path(ACME), (NOW, NOW))
    files.write({"other": Saved(NOW, (ELK,))}, NOW)

    assert names(tmp_path) == sorted([files.path(ACME).name, files.path("other").name, "mine.txt"])


GOOD = {
    "id": "owl",
    "tags": ["fast"],
    "context": 1,
    "output": None,
    "family": None,
    "free": True,
}
ENTRY = {"version": VERSION, "of": ACME, "fetched_at": NOW, "models": [GOOD]}


def entry(**changes: Any) -> dict[str, Any]:
    return {**ENTRY, **changes}


def with_model(**changes: Any) -> dict[str, Any]:
    return entry(models=[{**GOOD, **changes}])


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ENTRY.items() if key != name}


DAMAGED: tuple[object, ...] = (
    *("", "{", "\0\0\0\0", "[" * 100_000, "null", "[]", "{}", '"text"', "1e999", "9" * 5000),
    json.dumps(ENTRY)[:-20],
    " " * LARGEST + json.dumps(ENTRY),
    *map(without, ENTRY),
    *(entry(version=version) for version in (VERSION + 1, "1", None, [VERSION])),
    *(entry(of=name) for name in ("other", None, 5, [ACME])),
    *(
        entry(fetched_at=moment)
        for moment in ("yesterday", None, True, [], float("nan"), float("inf"), 10**400)
    ),
    *(entry(models=models) for models in ([], None, 5, [5], [None], {"id": "owl"}, [{"id": "o"}])),
    *(with_model(id=name) for name in (5, "", None)),
    *(with_model(tags=tags) for tags in ("fast", [1], None)),
    *(with_model(context=size) for size in ("many", 1.5, True, 0, -5)),
    *(with_model(output=[]), with_model(family=5), with_model(free="no"), with_model(free=None)),
    *(with_model(limits=[]), with_model(surprise=1)),
)


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_counts_as_absent(tmp_path: Path, content: object) -> None:
    """No field of a wrong type gets to routing, others are not touched, and the next write mends it."""
    files = put(tmp_path, content)
    other = {"other": Saved(NOW, (ELK,))}
    files.write(other, NOW)

    assert files.read([ACME, "other"], 0) == other
    files.write(LISTS, NOW)
    assert files.read([ACME, "other"], 0) == {**LISTS, **other}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "of", "models", "id", "tags", "fetched_at"]), inner
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    json_values
    | st.fixed_dictionaries(
        {
            "version": st.just(VERSION),
            "of": st.just(ACME),
            "fetched_at": json_values,
            "models": st.lists(json_values, max_size=2) | json_values,
        }
    )
)
def test_whatever_the_file_holds_reading_it_never_raises(tmp_path: Path, content: object) -> None:
    """What it gives is lists of models or nothing."""
    saved = put(tmp_path, content).read([ACME], 0)

    assert all(isinstance(model, ModelSpec) for one in saved.values() for model in one.models)


@has_modes
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_forgiven(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the lists serve this process all the same."""
    tmp_path.chmod(0o500)
    CatalogFiles(tmp_path).write(LISTS, NOW)
    tmp_path.chmod(0o700)

    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("way", ["a file for the home", "a file for the folder", "a folder"])
def test_what_stands_in_the_way_is_forgiven(
    tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither reading nor writing raises."""
    files = CatalogFiles(tmp_path / "cache")
    path = files.path(ACME)
    if way == "a folder":
        path.mkdir(parents=True)
    else:
        blocked = path.parent if way == "a file for the folder" else path.parent.parent
        blocked.parent.mkdir(exist_ok=True)
        blocked.write_text("")
    files.write(LISTS, NOW)

    assert files.read([ACME], 0) == {}
    assert "cannot be written" in caplog.text
    assert list(tmp_path.rglob("*.json?*")) == []


def test_names_that_are_odd_text_survive(tmp_path: Path) -> None:
    """Ids come from elsewhere: half a surrogate pair is no reason to lose the list."""
    odd = {ACME: Saved(NOW, (ModelSpec("\ud83d-\u2028-é"),))}
    files = CatalogFiles(tmp_path)
    files.write(odd, NOW)

    assert files.read([ACME], 0) == odd


def test_many_writers_and_readers_always_meet_a_whole_file(tmp_path: Path) -> None:
    """Of any number of threads, each sees some state that somebody wrote."""
    files = CatalogFiles(tmp_path)

    def work(number: int) -> bool:
        files.write({f"p{number % 5}": Saved(NOW, (OWL,) * 50)}, NOW)
        read = CatalogFiles(tmp_path).read([f"p{place}" for place in range(5)], 0)
        return bool(read) and all(len(one.models) == 50 for one in read.values())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(60)))
    assert len(names(tmp_path)) == 5


WRITER = """
import sys
from pathlib import Path
from freelm_integrations.discovery.catalog_file import CatalogFiles, Saved
from freelm_integrations.providers.spec import ModelSpec
files = CatalogFiles(Path(sys.argv[1]))
for turn in range(40):
    files.write({sys.argv[2]: Saved(turn + 1.0, (ModelSpec("owl"),) * 50)}, turn)
    files.write({"common": Saved(turn + 1.0, (ModelSpec(sys.argv[2]),) * 50)}, turn)
"""


def test_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each its own list, and of the one they share a whole state."""
    mine = ["one", "two", "three"]
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), name] for name in mine]
    running = [subprocess.Popen(command) for command in commands]
    ended = [process.wait(timeout=60) for process in running]

    saved = CatalogFiles(tmp_path).read([*mine, "common"], 0)
    assert ended == [0, 0, 0]
    assert sorted(saved) == sorted([*mine, "common"])
    assert {len(one.models) for one in saved.values()} == {50}
    assert len({model.id for model in saved["common"].models}) == 1
