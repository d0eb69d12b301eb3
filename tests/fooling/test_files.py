"""The guard of folders that a command writes over: a wrong answer costs a user's files, or their patience."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fooling import classifiers
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.files import read_text, refuse_foreign, user_path

DATA, KIND = "comparison.json", "fooling comparison"


def older(folder: Path) -> None:
    folder.mkdir()
    (folder / DATA).write_text(json.dumps({"kind": KIND}))
    (folder / "figure.png").touch()


def holding(text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / DATA).write_text(text)

    return make


OURS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: None,
    "an empty folder": Path.mkdir,
    "an older one": older,
}
FOREIGN = {
    "a file": Path.touch,
    "a folder without our data": lambda folder: (folder / "holiday.png").mkdir(parents=True),
    "another kind": holding(json.dumps({"kind": "fooling transfer"})),
    "data without a kind": holding("{}"),
    "a list": holding("[]"),
    "no JSON": holding("{"),
}


@pytest.mark.parametrize("name", OURS)
def test_what_may_be_written_over(name, tmp_path):
    """A failure costs a user's files."""
    OURS[name](tmp_path / "out")
    refuse_foreign(tmp_path / "out", DATA, KIND)


@pytest.mark.parametrize("name", FOREIGN)
def test_what_may_not(name, tmp_path):
    """A failure costs a user's own files; or leaves no way to say that they may go."""
    FOREIGN[name](tmp_path / "out")
    with pytest.raises(FoolingError, match="out exists and is no fooling comparison; remove it, or give"):
        refuse_foreign(tmp_path / "out", DATA, KIND)
    with pytest.raises(FoolingError, match="another --out, or --force"):
        refuse_foreign(tmp_path / "out", DATA, KIND, force=False)
    refuse_foreign(tmp_path / "out", DATA, KIND, force=True)


@pytest.mark.parametrize("path", ["~/a.toml", "~nobody-of-that-name/a.toml"])
def test_a_path_without_a_home_is_a_path(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run under numbers that have no entry and no home; a failure calls a path a defect."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    assert user_path(path) == Path(path)
    with pytest.raises(NotFoundError, match=r"a\.toml"):
        classifiers.load(f"file:{path}")


@pytest.mark.parametrize(
    "data", [b"a\nb\n", b"\xef\xbb\xbfa\nb\n", b"a\r\nb\r\n", b"a\rb\r", b"\xef\xbb\xbfa\r\nb\n"]
)
def test_text_is_the_same_however_an_editor_wrote_it(tmp_path: Path, data: bytes) -> None:
    """A byte order mark that stays is part of the first name, and nobody sees it."""
    (tmp_path / "f.txt").write_bytes(data)
    assert read_text(tmp_path / "f.txt", "a list") == "a\nb\n"


@pytest.mark.parametrize(
    "data, message",
    [
        ("caf\u00e9\n".encode("utf-16"), "found UTF-16: save it as UTF-8"),
        ("caf\u00e9\n".encode("utf-32"), "found UTF-32"),
        ("cat\n".encode("utf-16-le"), "found zero bytes: it is UTF-16, or no text"),
        ("cat\ncaf\u00e9\n".encode("latin-1"), "found the byte 0xe9 in line 2: save it as UTF-8"),
    ],
)
def test_text_in_another_code_is_refused_by_its_name(tmp_path: Path, data: bytes, message: str) -> None:
    """A failure costs labels in wrong letters."""
    (tmp_path / "f.txt").write_bytes(data)
    with pytest.raises(InvalidError, match=rf"f\.txt: expected a list as UTF-8 text, {message}"):
        read_text(tmp_path / "f.txt", "a list")
    with pytest.raises(NotFoundError, match=r"none: expected a list"):
        read_text(tmp_path / "none", "a list")


def test_text_without_an_end_is_refused(tmp_path: Path) -> None:
    """The manifest of a foreign run names a device or a pipe as its model: it costs all memory, or a wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(InvalidError, match="expected a spec, found a pipe or a device"):
            read_text(path, "a spec")
    (tmp_path / "long").touch()
    os.truncate(tmp_path / "long", 10**11)
    with pytest.raises(InvalidError, match="of at most 268,435,456 bytes, found 100,000,000,000"):
        read_text(tmp_path / "long", "a spec")
