"""The file of model lists: private, whole or absent, and believed no longer than it deserves."""

from __future__ import annotations

import json
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freelm_integrations.catalog_file import KEPT_FOR, NAME, VERSION, CatalogFile, Saved
from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

has_modes = pytest.mark.skipif(sys.platform == "win32", reason="modes mean something else there")
NOW = 1_795_348_800.0
OWL = ModelSpec("owl-7b", tags=("fast", "tools"), context=8192, output=1024, family="owl")
ELK = ModelSpec("elk", free=False)
LISTS = {"acme https://acme.example/v1": Saved(NOW, (OWL, ELK))}


def stored(folder: Path) -> Any:
    return json.loads((folder / NAME).read_text())


def put(folder: Path, content: object) -> CatalogFile:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / NAME).write_text(text)
    return CatalogFile(folder)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every field of a model but its limits, which are declared and never stored."""
    file = CatalogFile(tmp_path)
    file.write(LISTS, NOW)

    assert file.read(NOW - 1) == LISTS
    assert CatalogFile(tmp_path).read(NOW - 1) == LISTS


def test_nothing_is_made_before_it_is_written(tmp_path: Path) -> None:
    """Not even the folder; a file that is absent is no warning."""
    file = CatalogFile(tmp_path / "deep" / "down")

    assert file.read(0) == {}
    assert list(tmp_path.iterdir()) == []


@has_modes
def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """So is the folder, whatever the umask."""
    before = os.umask(0)
    try:
        CatalogFile(tmp_path / "cache").write(LISTS, NOW)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").rglob("*")]

    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


@has_modes
def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    """It is replaced, not written into."""
    put(tmp_path, {}).write(LISTS, NOW)

    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_write_that_breaks_off_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is the user who breaks it off."""
    file = CatalogFile(tmp_path)
    file.write(LISTS, NOW)
    for error in (OSError("disk full"), KeyboardInterrupt()):

        def broken(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(os, "replace", broken)
        try:
            file.write({"other": Saved(NOW, (ELK,))}, NOW)
        except KeyboardInterrupt:
            assert isinstance(error, KeyboardInterrupt)

    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert file.read(0) == LISTS


def test_new_entries_stand_beside_the_others(tmp_path: Path) -> None:
    """One client's providers do not cost another's their lists; what is too old goes."""
    file = CatalogFile(tmp_path)
    file.write({"old": Saved(NOW - KEPT_FOR, (ELK,)), "one": Saved(NOW - 5, (ELK,))}, NOW - 5)
    file.write({"two": Saved(NOW, (OWL,))}, NOW)
    file.write({"two": Saved(NOW, (ELK,))}, NOW)

    assert file.read(0) == {"one": Saved(NOW - 5, (ELK,)), "two": Saved(NOW, (ELK,))}
    assert file.read(NOW - 1) == {"two": Saved(NOW, (ELK,))}


GOOD = {
    "id": "owl",
    "tags": ["fast"],
    "context": 1,
    "output": None,
    "family": None,
    "free": True,
}
ENTRY = {"fetched_at": NOW, "models": [GOOD]}


def with_model(**changes: Any) -> dict[str, Any]:
    return whole({"acme": {**ENTRY, "models": [{**GOOD, **changes}]}})


def whole(catalogs: Any) -> dict[str, Any]:
    return {"version": VERSION, "catalogs": catalogs}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "\0\0\0\0",
        "[" * 100_000,
        "null",
        "[]",
        "{}",
        '"text"',
        "1e999",
        {"version": VERSION},
        {"version": [VERSION], "catalogs": {}},
        {"version": VERSION + 1, "catalogs": {"acme": ENTRY}},
        whole([]),
        whole(None),
        whole({"acme": None}),
        whole({"acme": {"fetched_at": NOW}}),
        whole({"acme": {"models": [GOOD]}}),
        whole({"acme": {**ENTRY, "fetched_at": "yesterday"}}),
        whole({"acme": {**ENTRY, "fetched_at": None}}),
        whole({"acme": {**ENTRY, "fetched_at": float("nan")}}),
        whole({"acme": {**ENTRY, "models": []}}),
        whole({"acme": {**ENTRY, "models": [5]}}),
        whole({"acme": {**ENTRY, "models": {"id": "owl"}}}),
        whole({"acme": {**ENTRY, "models": [{"id": "owl"}]}}),
        with_model(id=5),
        with_model(tags="fast"),
        with_model(tags=[1]),
        with_model(tags=None),
        with_model(context="many"),
        with_model(context=1.5),
        with_model(context=True),
        with_model(output=[]),
        with_model(family=5),
        with_model(free="no"),
        with_model(free=None),
        with_model(limits=[]),
        with_model(surprise=1),
    ],
)
def test_a_damaged_file_counts_as_absent(tmp_path: Path, content: object) -> None:
    """No field of a wrong type gets to routing, and the next write mends it."""
    file = put(tmp_path, content)

    assert file.read(0) == {}
    file.write(LISTS, NOW)
    assert file.read(0) == LISTS


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "catalogs", "acme", "models", "id", "fetched_at"]), inner
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values | st.fixed_dictionaries({"version": st.just(VERSION), "catalogs": json_values}))
def test_whatever_the_file_holds_reading_it_never_raises(tmp_path: Path, content: object) -> None:
    """What it gives is lists of models or nothing."""
    saved = put(tmp_path, content).read(0)

    assert all(isinstance(model, ModelSpec) for one in saved.values() for model in one.models)


@has_modes
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_forgiven(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the lists serve this process all the same."""
    tmp_path.chmod(0o500)
    CatalogFile(tmp_path).write(LISTS, NOW)
    tmp_path.chmod(0o700)

    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("way", ["a file for the folder", "a folder for the file"])
def test_what_stands_in_the_way_is_forgiven(
    tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither reading nor writing raises."""
    folder = tmp_path / "cache"
    if way == "a file for the folder":
        folder.write_text("")
    else:
        (folder / NAME).mkdir(parents=True)
    file = CatalogFile(folder)
    file.write(LISTS, NOW)

    assert file.read(0) == {}
    assert "cannot be written" in caplog.text
    assert list(tmp_path.rglob(NAME + "?*")) == []


def test_names_that_are_odd_text_survive(tmp_path: Path) -> None:
    """Ids come from elsewhere: half a surrogate pair is no reason to lose the list."""
    odd = {"acme": Saved(NOW, (ModelSpec("\ud83d-\u2028-é"),))}
    file = CatalogFile(tmp_path)
    file.write(odd, NOW)

    assert file.read(0) == odd


def test_many_writers_and_readers_always_meet_a_whole_file(tmp_path: Path) -> None:
    """Of any number of threads, each sees some state that somebody wrote."""
    file = CatalogFile(tmp_path)

    def work(number: int) -> bool:
        file.write({f"p{number % 5}": Saved(NOW, (OWL,) * 50)}, NOW)
        return all(len(one.models) == 50 for one in CatalogFile(tmp_path).read(0).values())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(60)))
    assert set(stored(tmp_path)) == {"version", "catalogs"}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
