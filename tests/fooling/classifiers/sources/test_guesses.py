"""SPECs as newcomers guess them: the line has to say what would have worked, not what is spelt alike."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

from fooling import classifiers
from fooling.errors import InvalidError

DESCRIBED = (
    r"describes it: write w.toml with name, size, colour, labels and a table \[network\] with "
    r'architecture = "MODULE:CALLABLE" and weights = "w.pth", and say file:w.toml'
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(3)}, "w.pth")
    torch.save({"weight": torch.zeros(3)}, "old", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file({"weight": torch.zeros(3)}, "w.safetensors")
    (tmp_path / "net.onnx").write_bytes(b"\x08\x09\x3a\x10")
    (tmp_path / "page.toml").write_bytes(b"<html>404")
    (tmp_path / "net.toml").write_text('name = "n"\n')
    (tmp_path / "mine.py").write_text("def build(): ...\n")
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "config.json").write_text("{}")


@pytest.mark.parametrize(
    "spec, meant",
    [
        ("mine:build", r"did you mean python:mine:build \(with --trust"),
        ("my.package.nets:make_net", "did you mean python:my.package.nets:make_net"),
        ("mine.py", r"did you mean python:mine:FUNCTION"),
        ("python:mine.py:build", r"did you mean mine:build\?"),
        ("python:mine.build", r"did you mean mine:build\?"),
        ("w.pth", DESCRIBED),
        (
            "file:w.pth",
            f"expected a TOML file .*, found a file written by torch.save; a file beside it {DESCRIBED}",
        ),
        ("old", 'weights = "old"'),
        ("file:w.safetensors", 'found safetensors; .* weights = "w.safetensors"'),
        ("net.onnx", r"did you mean onnx:net.onnx\?"),
        ("file:net.onnx", r"found an ONNX model; did you mean onnx:net.onnx\?"),
        ("away.onnx", r"did you mean onnx:away.onnx\?"),
        ("net.toml", r"did you mean file:net.toml\?"),
        ("file:page.toml", "found a web page"),
        ("clip:w.pth", "found a file written by torch.save"),
        ("tuned", r"did you mean hf:tuned, or timm:tuned\?"),
        ("bultin:lenet", r"did you mean builtin:lenet\?"),
        ("lenett", r"did you mean builtin:lenet\?"),
    ],
)
def test_a_wrong_guess_is_told_the_right_one(spec, meant):
    with pytest.raises(InvalidError, match=meant) as caught:
        classifiers.load(spec, trust=True)
    assert "\n" not in str(caught.value)
