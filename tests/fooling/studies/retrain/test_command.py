"""`fooling retrain` says in one line what is wrong (contract 8)."""

from __future__ import annotations

import pytest

from fooling.cli import main


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        ((), 2, ["expected training images: a folder with the four files of MNIST", ".npz"]),
        (("nowhere",), 4, ["nowhere", "or the IDX files of MNIST", ".npz"]),
        ((".",), 3, ["expected class folders"]),
        ((".", "--first", "lots"), 3, ["first", "a number of images, or", "7x", "'lots'"]),
        ((".", "--rounds", "0"), 2, ["--rounds"]),
        ((".", "--trainer", "mine:training"), 3, ["--trust"]),
        ((".", "--trainer", "nowhere_at_all:training", "--trust"), 4, ["nowhere_at_all"]),
    ],
)
def test_one_line_and_the_exit_code(arguments, code, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["fooling", "retrain", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert end.value.code == code
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert "Traceback" not in line
    for word in words:
        assert word in line
    assert not list(tmp_path.iterdir())
