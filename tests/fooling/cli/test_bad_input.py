"""Bad input: one line on stderr, the right exit code, no traceback, nothing lost (contract 8)."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fooling.cli import main
from fooling.errors import NotFoundError
from fooling.store.snapshot import class_of


@pytest.fixture
def here(monkeypatch, capsys):
    """The command line in this process, which saves an import of torch a case: the same `main`."""

    def call(*arguments, cwd=None):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr("sys.argv", ["fooling", *map(str, arguments)])
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as end:
            main()
        signal.signal(signal.SIGTERM, handler)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=end.value.code, stdout=printed.out, stderr=printed.err)

    return call


def errors(result) -> list[str]:
    assert "Traceback" not in result.stderr
    return [line for line in result.stderr.splitlines() if line.startswith("error:")]


CASES = [
    (("run", "mnist-cpn"), 4, ["no config named mnist-cpn", "did you mean mnist-cppn?"]),
    (("run", "nowhere/my.toml"), 4, ["no config file nowhere/my.toml"]),
    (("run", "--set", "search.generatons=3"), 3, ["did you mean search.generations?"]),
    (("run", "--set", "generations=5"), 3, ["--set generations=5", "did you mean search.generations?"]),
    (("run", "--seed", "18446744073709551615"), 3, ["error: --seed: ", "18446744073709551615"]),
    (("run", "--set", "search.population=-5"), 3, ["search.population", "-5"]),
    (("run", "--set", "search.population=lots"), 3, ["search.population", "'lots'"]),
    (("run", "--model", "builtin:lenett"), 3, ["lenett", "builtin:lenet"]),
    (("run", "--model", "lenet"), 3, ["lenet", "did you mean builtin:lenet?"]),
    (("run", "--model", "builtn:lenet"), 3, ["builtn", "builtin"]),
    (("run", "--set", "encoding.colour=hls"), 3, ["hls", "grey"]),
    (("run", "--seed", "x"), 2, ["--seed", "x"]),
    (("transfer", ".", "--to", "builtin:lenet", "--min-confidence", "nan"), 2, ["--min-confidence", "nan"]),
    (("retrain", "--size", "nan"), 2, ["--size", "nan"]),
    (("run", "--sead", "3"), 2, ["--sead", "--seed"]),
    (("rnu",), 2, ["rnu", "did you mean run?"]),
    (("show", "nowhere"), 4, ["no run directory nowhere"]),
    (("resume", "nowhere"), 4, ["no run directory nowhere"]),
    (("gallery", "nowhere"), 4, ["no run directory nowhere"]),
    (("export", "nowhere"), 4, ["no run directory nowhere"]),
    (("show", "."), 3, ["is no run directory"]),
    (("resume", "."), 3, ["is no run directory"]),
]


@pytest.mark.parametrize(("arguments", "code", "words"), CASES, ids=lambda value: str(value)[:40])
def test_one_line_and_the_exit_code(arguments, code, words, here, tmp_path):
    result = here(*arguments, cwd=tmp_path)
    (line,) = errors(result)
    assert result.returncode == code
    assert result.stdout == ""
    for word in words:
        assert word in line
    assert not list(tmp_path.rglob("manifest.json"))


def test_an_output_folder_that_exists(here, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    result = here("run", "--out", tmp_path / "mine", "--model", "python:absent:build", "--trust")
    assert result.returncode == 1
    assert "exists" in errors(result)[0], "it is said before a network is loaded"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_an_output_folder_that_cannot_be_written(here, tmp_path):
    (tmp_path / "file").write_text("")
    result = here("run", "--out", tmp_path / "file" / "run")
    assert result.returncode == 1
    assert "can't make the run directory" in errors(result)[0]


def copy_of(small_run, tmp_path) -> Path:
    return shutil.copytree(small_run[0], tmp_path / "copy")


def test_a_newer_format(small_run, here, tmp_path):
    copy = copy_of(small_run, tmp_path)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    for command in ("show", "resume", "gallery", "export"):
        result = here(command, copy)
        assert result.returncode == 3
        assert "format 2" in errors(result)[0]


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format": 1', '{"format": 1}', '{"format": 1, "config": {}}']
)
def test_a_manifest_that_is_not_one(content, small_run, here, tmp_path):
    copy = copy_of(small_run, tmp_path)
    (copy / "manifest.json").write_text(content)
    result = here("show", copy)
    assert result.returncode == 3
    assert "manifest.json" in errors(result)[0]


def test_another_classifier_under_the_same_name(small_run, here, tmp_path):
    """To go on with other weights would mix the elites of two classifiers in one archive."""
    copy = copy_of(small_run, tmp_path)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["classifier"]["fingerprint"] = "0" * 64
    manifest["config"]["search"]["generations"] = 99
    (copy / "manifest.json").write_text(json.dumps(manifest))
    lines = (copy / "events.jsonl").read_text().splitlines(keepends=True)
    (copy / "events.jsonl").write_text("".join(lines[:-1]))  # as if it had been killed before its end
    result = here("resume", copy)
    assert result.returncode == 3
    assert "fingerprint" in errors(result)[0]


def test_debug_shows_the_traceback(tmp_path, environment):
    command = [sys.executable, "-m", "fooling", "show", "nowhere", "--debug"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 4
    assert "Traceback" in result.stderr


def test_a_sigterm_while_the_network_loads(tmp_path, environment):
    """A scheduler's: no checkpoint is needed yet, and the exit code must not say that the program crashed."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\ndef build():\n    pathlib.Path('loading').touch()\n    time.sleep(100)\n"
    )
    words = ("run", "--model", "python:slow:build", "--trust", "--out", "run")
    process = subprocess.Popen(
        [sys.executable, "-m", "fooling", *words],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        while not (tmp_path / "loading").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "error: interrupted"
    assert not (tmp_path / "run").exists()


TYPOS = [
    "run mnist-cpn",
    "run --set generations=5",
    f"run --seed {2**64}",
    "run --model builtin:lenett",
    "run --set model=bultin:lenet",
    "run mine.toml",
    "models info tim:resnet18",
    "models check lenet",
    "transfer . --to builtin:mpl,nowhere:x",
    "bench throughput --model file:",
    "reproduce --model hff:x/y",
    "retrain . --config mnist-dirct",
]


@pytest.mark.parametrize("words", TYPOS)
def test_a_typo_is_told_before_anything_heavy_is_imported(words, tmp_path, environment):
    """A failure costs seconds for each typo."""
    code = (
        "import sys; from fooling.cli import main\n"
        "try: main()\n"
        "finally: print('heavy:', [name for name in ('torch', 'ray', 'numba', 'jinja2') if name in sys.modules])"
    )
    (tmp_path / "mine.toml").write_text('model = "onx:net.onnx"\n')
    command = [sys.executable, "-c", code, *words.split()]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert len(errors(result)) == 1
    assert result.returncode in (3, 4)
    assert "heavy: []" in result.stdout + result.stderr


def test_a_class_is_named_by_number_or_label():
    labels = ["tench, Tinca tinca", "goldfish", "crane", "crane", "7"]
    assert class_of("1", labels) == 1
    assert [class_of(name, labels) for name in ("goldfish", "Tinca tinca", "tench, Tinca tinca")] == [1, 0, 0]
    for wanted, said in (("goldfisch", "did you mean goldfish?"), ("crane", "2, 3"), ("99", "0 to 4")):
        with pytest.raises(NotFoundError, match=re.escape(said)):
            class_of(wanted, labels)


@pytest.mark.parametrize("name", ["workers", "cppn"])
def test_a_file_that_hides_a_package_is_named(name, tmp_path, environment):
    """A failure costs an hour with an import error that names neither the file nor the reason."""
    (tmp_path / f"{name}.py").write_text("helper = 1\n")
    command = [sys.executable, "-m", "fooling", "models", "list"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 3
    (line,) = result.stderr.splitlines()
    assert f"{name}.py hides the package `{name}`" in line


@pytest.mark.parametrize("name", ["workers", "cppn"])
def test_a_file_that_would_hide_a_package_is_named_by_the_program_too(name, tmp_path, environment):
    """`fooling`, unlike `python -m fooling`, imports nothing from here, until a model does. A failure costs an hour with
    an import error; or refuses what has nothing to do with the file."""
    (tmp_path / f"{name}.py").write_text("helper = 1\n")
    (tmp_path / "mine.py").write_text(f"import {name}\ndef build(): return {name}.helper\n")
    program = [sys.executable, "-P", "-c", "from fooling.cli import main; main()"]
    for words, code in (("models list", 0), ("models check python:mine:build --trust", 3)):
        command = [*program, *words.split()]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode == code
        warning, *refused = result.stderr.splitlines()
        assert f"warning: {tmp_path / name}.py hides the package `{name}` of fooling" in warning
        assert [f"{name}.py hides the package `{name}`" in line for line in refused] == [True] * (code > 0)
