"""Each way to bring a network: Python, file with weights, program, ensemble. What comes out is the network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from fooling import classifiers
from fooling.classifiers import ClassifierError, Numerics
from fooling.classifiers.check import check
from fooling.errors import InvalidError, NotFoundError

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
NUMERICS = Numerics(batch=4)
HEAD = 'name = "tiny"\nsize = 12\ncolour = "rgb"\nlabels = ["a", "b", "c", "d", "e"]\n'
MODULE = """
import torch
from torch import nn
from fooling.classifiers import Spec, from_module

class Tiny(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))

def pair():
    network = Tiny().eval()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    return network, Spec(name="tiny", size=12, colour="rgb", labels=tuple("abcde"))

def classifier():
    return from_module(*pair())

def number():
    return 3

def broken():
    raise RuntimeError("no such luck\\nat all")

def misspelt():
    return Tiny().eval(), Spec(name="tiny", size=12, colour="rgb", labels=list("abcde"), output="logit")

def theirs():
    from pydantic import BaseModel

    class Settings(BaseModel):
        width: int

    return Settings(width="wide")
"""


@pytest.fixture
def folder(tmp_path, tiny, monkeypatch) -> Path:
    """A user's folder: their module, their weights; the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mynets.py").write_text(MODULE)
    safetensors.torch.save_file(tiny.state_dict(), tmp_path / "tiny.safetensors")
    torch.save(tiny.state_dict(), tmp_path / "tiny.pt")
    sys.modules.pop("mynets", None)
    return tmp_path


def images(count: int = 3, size: int = 12) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(7))


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return f"file:{folder / name}"


@pytest.mark.parametrize("function", ["pair", "classifier"])
def test_python_gives_the_network_that_the_function_builds(folder, function):
    classifier = classifiers.load(f"python:mynets:{function}", numerics=NUMERICS, trust=True)
    assert classifier.labels == tuple("abcde")
    assert classifier.numerics == NUMERICS, "the run's numerics must be obeyed, whatever the function chose"
    assert check(classifier).failures == ()
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("mynets:pear", NotFoundError, "expected a callable 'pear' in module 'mynets'; did you mean pair"),
        ("nonets:pair", NotFoundError, "expected a Python module 'nonets'"),
        ("mynets", InvalidError, "expected module:callable, found 'mynets'"),
        ("mynets:number", InvalidError, "expected it to return .*Spec.*, found int"),
        ("mynets:misspelt", InvalidError, "^Spec: output: expected .* found 'logit'; did you mean logits"),
        ("mynets:theirs", InvalidError, "mynets:theirs failed: ValidationError: width: expected an integer"),
        ("mynets:broken", InvalidError, "mynets:broken failed: RuntimeError: no such luck$"),
    ],
)
def test_what_python_cannot_give_is_said_in_one_line(folder, name, error, message):
    with pytest.raises(error, match=message):
        classifiers.load(f"python:{name}", trust=True)


@pytest.mark.parametrize("weights", ["tiny.safetensors", "tiny.pt"])
def test_a_file_names_architecture_and_weights(folder, tiny, wrap, weights):
    spec = write(folder, "t.toml", f'{HEAD}[network]\narchitecture = "mynets:Tiny"\nweights = "{weights}"\n')
    classifier = classifiers.load(spec, numerics=NUMERICS, trust=True)
    assert torch.equal(classifier.confidences(images()), wrap(tiny).confidences(images()))
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


def test_arguments_reach_the_callable(folder):
    text = f'{HEAD}[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\narguments = {{width = 9}}\n'
    with pytest.raises(
        InvalidError, match=r"expected 'conv.weight' of shape \(9, 3, 3, 3\), found \(8, 3, 3, 3\)"
    ):
        classifiers.load(write(folder, "t.toml", text), trust=True)


def test_half_precision_weights_become_float32(folder, tiny):
    halves = {name: value.half() for name, value in tiny.state_dict().items()}
    safetensors.torch.save_file(halves, folder / "half.safetensors")
    text = f'{HEAD}[network]\narchitecture = "mynets:Tiny"\nweights = "half.safetensors"\n'
    network = classifiers.load(write(folder, "t.toml", text), trust=True).network
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def export(tiny: torch.nn.Module, path: Path) -> None:
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(tiny, (images(2),), dynamic_shapes=({0: batch},)), path)


@pytest.mark.parametrize("kind", ["pt2", "torchscript"])
def test_a_program_brings_its_own_code(folder, tiny, wrap, kind):
    name = "tiny.pt2" if kind == "pt2" else "script.pt"
    if kind == "pt2":
        export(tiny, folder / name)
    else:
        torch.jit.save(torch.jit.trace(tiny, images()), folder / name)
    classifier = classifiers.load(
        write(folder, "t.toml", f'{HEAD}[network]\nprogram = "{name}"\n'), numerics=NUMERICS, trust=True
    )
    assert (classifier.confidences(images()) - wrap(tiny).confidences(images())).abs().max() < 1e-6
    assert classifier.differentiable
    assert check(classifier).failures == ()


def test_a_program_exported_for_one_batch_is_told_the_remedy(folder, tiny):
    torch.export.save(torch.export.export(tiny, (images(2),)), folder / "fixed.pt2")
    spec = write(folder, "t.toml", f'{HEAD}[network]\nprogram = "fixed.pt2"\n')
    with pytest.raises(InvalidError, match="expected a program with a dynamic batch, found a fixed one of 2"):
        classifiers.load(spec, trust=True)


def test_the_digest_of_a_program_is_part_of_the_fingerprint(folder, tiny):
    """Its code is not in its tensors."""
    spec = write(folder, "t.toml", f'{HEAD}[network]\nprogram = "script.pt"\n')
    prints = set()
    for network in (tiny, torch.nn.Sequential(tiny, torch.nn.Softmax(1))):
        torch.jit.save(torch.jit.trace(network, images()), folder / "script.pt")
        prints.add(classifiers.load(spec, trust=True).fingerprint)
    assert len(prints) == 2


def test_labels_wordnet_and_groups_may_be_files(folder):
    (folder / "labels.txt").write_text("ant\nbee\ncat\ndog\nelk\n")
    (folder / "wnids.txt").write_text("n1\nn2\nn3\nn4\nn5\n")
    groups = {"insect": [0, 1], "mammal": {"wnid": "n9", "indices": [2, 3, 4]}}
    (folder / "tree.json").write_text(json.dumps({"nodes": {}, "groups": groups}))
    text = (
        'name = "tiny"\nsize = 12\ncolour = "rgb"\nlabels = "labels.txt"\nwordnet = "wnids.txt"\n'
        'groups = "tree.json"\n[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n'
    )
    spec = classifiers.load(write(folder, "t.toml", text), trust=True).spec
    assert spec.labels == ("ant", "bee", "cat", "dog", "elk")
    assert spec.wordnet == ("n1", "n2", "n3", "n4", "n5")
    assert spec.groups == {"insect": (0, 1), "mammal": (2, 3, 4)}


def test_a_mean_image_is_read_and_subtracted(folder, tiny, wrap):
    np.save(folder / "mean.npy", np.full((3, 14, 14), 0.25))
    network = '[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n'
    loaded = [
        classifiers.load(write(folder, "t.toml", f"{HEAD}[preprocessing]\n{mean}\n{network}"), trust=True)
        for mean in ('mean_image = "mean.npy"', "mean = [0.25, 0.25, 0.25]")
    ]
    assert torch.equal(loaded[0].confidences(images()), loaded[1].confidences(images()))
    assert loaded[0].with_numerics(NUMERICS).fingerprint == loaded[0].fingerprint


@pytest.mark.parametrize("combination", ["mean", "minimum"])
def test_an_ensemble_combines_the_confidences_of_its_members(folder, combination):
    spec = write(
        folder,
        "both.toml",
        f'name = "both"\n[ensemble]\nmembers = ["builtin:lenet", "builtin:lenet-b"]\ncombination = "{combination}"\n',
    )
    both = classifiers.load(spec)
    grey = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    members = torch.stack(
        [classifiers.load(f"builtin:{name}").confidences(grey) for name in ("lenet", "lenet-b")]
    )
    assert torch.equal(both.confidences(grey), members.mean(0) if combination == "mean" else members.amin(0))
    assert both.spec.output == ("probabilities" if combination == "mean" else "scores")
    assert both.labels == tuple("0123456789")
    assert both.differentiable
    assert check(both).failures == ()
    assert classifiers.load(spec).fingerprint == both.fingerprint
    other = both.with_numerics(Numerics(layout="nchw"))
    assert {member.numerics.layout for member in other.network.members} == {"nchw"}


def test_members_of_another_size_see_the_image_resized(folder):
    network = '[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n'
    write(folder, "small.toml", HEAD + network)
    write(folder, "large.toml", HEAD.replace("12", "24").replace("tiny", "large") + network)
    spec = write(
        folder, "all.toml", 'name = "all"\n[ensemble]\nmembers = ["file:small.toml", "file:large.toml"]\n'
    )
    both = classifiers.load(spec, numerics=NUMERICS, trust=True)
    assert both.spec.size == 24
    assert both.confidences(images(3, 24)).sum(1).allclose(torch.ones(3))


def test_members_of_one_aspect_ratio_see_rectangles_of_their_own_size(folder):
    network = '[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n'
    for name, size in (("small", "[12, 18]"), ("large", "[16, 24]"), ("high", "[18, 12]")):
        text = HEAD.replace("size = 12", f"size = {size}").replace("tiny", name) + network
        assert size in text
        write(folder, f"{name}.toml", text)

    def together(other, more=""):
        members = f'[ensemble]\nmembers = ["file:small.toml", "file:{other}.toml"]\n'
        spec = write(folder, "all.toml", f'name = "all"\n{more}{members}')
        return classifiers.load(spec, numerics=NUMERICS, trust=True)

    assert together("large").spec.size == (16, 24)
    with pytest.raises(InvalidError, match="one aspect ratio, found 12 x 18 in small, 18 x 12 in high; give"):
        together("high")
    stretched = together("high", "size = 15\n")
    assert stretched.confidences(images(3, 15)).sum(1).allclose(torch.ones(3))


@pytest.mark.parametrize(
    "members, message",
    [
        (["builtin:lenet"], "ensemble.members"),
        (["builtin:lenet", "file:tiny.toml"], "expected members of one colour, found lenet grey, tiny rgb"),
        (
            ["builtin:lenet", "file:other.toml"],
            "labels in the same order, found class 1 '1' in lenet, 'one' in other",
        ),
        (["builtin:lenet", "file:fewer.toml"], "the same classes, found 10 in lenet, 9 in fewer"),
    ],
)
def test_members_that_do_not_fit_are_refused(folder, members, message):
    """A mean over classes in different order would be nonsense that looks like a result."""
    write(folder, "tiny.toml", f'{HEAD}[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n')
    for name, labels in (("other", ["0", "one", *"23456789"]), ("fewer", list("012345678"))):
        network = classifiers.architectures.find("lenet").empty(len(labels)).to_empty(device="cpu")
        safetensors.torch.save_file(network.state_dict(), folder / f"{name}.safetensors")
        write(
            folder,
            f"{name}.toml",
            f'name = "{name}"\nsize = 28\ncolour = "grey"\nlabels = {json.dumps(labels)}\n'
            f'[network]\narchitecture = "lenet"\nweights = "{name}.safetensors"\n',
        )
    spec = write(folder, "e.toml", f'name = "e"\n[ensemble]\nmembers = {json.dumps(members)}\n')
    with pytest.raises(InvalidError, match=message):
        classifiers.load(spec, trust=True)


NETWORK = '[network]\narchitecture = "lenet"\nweights = "tiny.safetensors"\n'


@pytest.mark.parametrize(
    "text, error, message",
    [
        (HEAD, InvalidError, r"expected a table \[network\] or a table \[ensemble\]"),
        (HEAD + '[network]\narchitecture = "lenet"\n', InvalidError, "expected weights .* or a program"),
        (HEAD + '[network]\nweights = "tiny.pt"\n', InvalidError, "expected an architecture for tiny.pt"),
        (HEAD + '[network]\narchitecture = "lenot"\nweights = "tiny.pt"\n', InvalidError, "did you mean lenet"),
        (HEAD + NETWORK, InvalidError, "expected lenet to see grey images of 28 x 28 pixels, found rgb of 12 x 12"),
        (HEAD + '[network]\narchitekture = "x"\n', InvalidError, "network.architekture is not a key; did you mean network.architecture"),
        (HEAD + '[netwrok]\narchitecture = "x"\n', InvalidError, r"\[network\]"),
        ("size = ", InvalidError, "t.toml: expected TOML"),
        (HEAD.replace("labels =", "label =") + NETWORK, InvalidError, "label is not a key; did you mean labels"),
        (HEAD.replace('["a", "b", "c", "d", "e"]', '"no.txt"') + NETWORK, NotFoundError, "no.txt"),
        (HEAD + '[preprocessing]\nmean_image = "no.npy"\n[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n',
         NotFoundError, "no.npy: expected a mean image"),
        (HEAD + '[network]\narchitecture = "mynets:Tiny"\nweights = "no.pt"\n', NotFoundError, "no.pt: expected a file"),
        (HEAD + '[network]\narchitecture = "mynets:Tiny"\nweights = "mynets.py"\n', InvalidError,
         "mynets.py: expected a file of weights .*, found text"),
        (HEAD + '[network]\narchitecture = "mynets:number"\nweights = "tiny.pt"\n', InvalidError,
         "expected mynets:number to return a torch.nn.Module, found int"),
        (HEAD + '[network]\nprogram = "no.pt2"\n', NotFoundError, "no.pt2"),
        (HEAD + "created = 2024-01-01\n" + NETWORK, InvalidError, "expected text, numbers, lists and tables only"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line(folder, text, error, message):
    with pytest.raises(error, match=message) as caught:
        classifiers.load(write(folder, "t.toml", text), trust=True)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(NotFoundError, match=r"no\.toml: expected a TOML file that describes a network"):
        classifiers.load(f"file:{tmp_path / 'no.toml'}")


def test_labels_that_do_not_match_the_outputs_are_refused(folder):
    """999 labels for 1,000 outputs: every name after the missing one would be wrong."""
    text = HEAD.replace(', "e"', "") + '[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.pt"\n'
    classifier = classifiers.load(write(folder, "t.toml", text), numerics=NUMERICS, trust=True)
    with pytest.raises(
        ClassifierError, match=r"expected output of shape \(4, 4\) \(rows, labels\), found \(4, 5\)"
    ):
        classifier.confidences(images())
    with pytest.raises(InvalidError, match="tiny failed its check: expected output of shape"):
        check(classifier).raise_for_failures()


def test_a_path_with_an_ampersand_can_be_written(tmp_path):
    """As in addresses of the web; without it, a folder `a&b` can't be named at all."""
    from fooling.classifiers.sources.options import split

    name, options = split("timm:x", f"x?weights={tmp_path}/a%26b/50%25/w=1.pth&key=ema", ("weights", "key"))
    assert (name, options.weights, options.key) == ("x", tmp_path / "a&b" / "50%" / "w=1.pth", "ema")


def test_labels_in_another_form_are_recognised_and_it_is_said(folder):
    """Without a word, a wrong guess about a file of labels would show only where names are matched with others'."""
    (folder / "words.txt").write_text("".join(f"n0000000{i} class {'abcde'[i]}\n" for i in range(5)))
    spec = write(
        folder,
        "words.toml",
        HEAD.replace('["a", "b", "c", "d", "e"]', '"words.txt"')
        + '[network]\narchitecture = "mynets:Tiny"\nweights = "tiny.safetensors"\n',
    )
    found = classifiers.load(spec, numerics=NUMERICS, trust=True)
    assert found.labels[:2] == ("class a", "class b")
    assert found.spec.wordnet is not None
    assert found.spec.wordnet[4] == "n00000004"
    assert "words.txt: read as lines of WordNet id and label, 5 labels" in found.notes


@pytest.mark.parametrize("kind", ["logits", "sigmoid"])
def test_an_ensemble_is_not_given_a_softmax_or_a_sigmoid_of_its_own(folder, kind):
    """It combines confidences: another sigmoid would squash them to 0.5 to 0.73, and nobody would be told."""
    (folder / "both.toml").write_text(
        f'name = "both"\noutput = "{kind}"\n[ensemble]\nmembers = ["builtin:lenet", "builtin:lenet-b"]\n'
    )
    with pytest.raises(InvalidError, match=f'expected no output = "{kind}"; leave it out'):
        classifiers.load("file:both.toml")


@pytest.mark.parametrize("name", ["cppn", "workers"])
@pytest.mark.parametrize("place", ["beside the file", "on the path"])
def test_a_file_beside_a_model_that_hides_a_package(name, place, tmp_path, monkeypatch) -> None:
    """The model gets our package under that name, or we get the user's; a failure shows neither's name."""
    (tmp_path / f"{name}.py").write_text("helper = 1\n")
    (tmp_path / "beside.py").write_text(f"import {name}\ndef build(): return {name}.helper\n")
    (tmp_path / "spec.toml").write_text(
        'name = "mine"\nsize = 28\ncolour = "grey"\nlabels = ["a", "b"]\n'
        '[network]\narchitecture = "beside:build"\nweights = "w.safetensors"\n'
    )
    (tmp_path / "w.safetensors").write_bytes(b"")
    spec = f"file:{tmp_path / 'spec.toml'}"
    if place == "on the path":
        monkeypatch.syspath_prepend(tmp_path)
        sys.path.append(sys.path.pop(0))  # as PYTHONPATH does that names our folder first
        spec = "python:beside:build"
    with pytest.raises(InvalidError, match=f"{name}.py hides the package `{name}` of fooling"):
        classifiers.load(spec, trust=True)
    assert "beside" not in sys.modules
