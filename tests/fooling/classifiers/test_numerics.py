"""Numerics are settings of a run: they survive a manifest, and a wrong one is refused in one line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from pydantic import TypeAdapter

from fooling.classifiers import Numerics
from fooling.classifiers.numerics import prepare_device, resolve
from fooling.errors import InvalidError


def test_numerics_survive_a_manifest():
    numerics = resolve(device="cpu", threads=3, layout="nchw", batch=7)
    assert TypeAdapter(Numerics).validate_json(json.dumps(numerics.to_dict())) == numerics


def test_what_is_left_open_depends_on_no_timing():
    assert resolve(device="cpu") == resolve(device="cpu")
    assert resolve(device="cpu").device_model, "a resume on other hardware could not be noticed"


@pytest.mark.parametrize(
    "values, message",
    [
        ({"threads": 0}, "expected threads to be an integer of 1 or more, found 0"),
        ({"batch": 2.5}, "expected batch to be an integer of 1 or more, found 2.5"),
        ({"layout": "nhwc"}, 'expected layout "channels-last" or "nchw"'),
        ({"device": "gpu"}, 'expected device "cpu", "cuda" or "cuda:N", found \'gpu\''),
        ({"dtype": "float16"}, 'expected dtype "float32"'),
    ],
)
def test_wrong_numerics_are_refused(values, message):
    with pytest.raises(InvalidError, match=message):
        Numerics(**values)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said_so():
    with pytest.raises(InvalidError, match="torch finds no CUDA here"):
        resolve(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_gpu_computes_in_full_precision_and_repeats():
    """TF32 moves a confidence by 1e-3: archives would differ from every CPU's."""
    from fooling import classifiers
    from fooling.classifiers.synthetic import synthetic

    gpu = classifiers.load("builtin:lenet", numerics=resolve(device="cuda"))
    pixels = synthetic(28, 1)
    assert abs(gpu.classify(pixels) - gpu.expected).max() < 1e-5
    assert (gpu.classify(pixels) == gpu.classify(pixels)).all()


def test_full_precision_is_switched_on_without_a_warning():
    """In a process of its own: the switches hold for the whole process. Needs no GPU."""
    code = (
        "import torch, warnings; warnings.simplefilter('error')\n"
        "from fooling.classifiers.numerics import prepare_device\n"
        "torch.backends.cudnn.benchmark = True\n"
        "prepare_device('cuda:0')\n"
        "b = torch.backends\n"
        "assert not (b.cudnn.allow_tf32 or b.cuda.matmul.allow_tf32 or b.cudnn.benchmark)\n"
        "assert torch.are_deterministic_algorithms_enabled()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_on_the_cpu_nothing_is_switched_for_the_process():
    before = torch.are_deterministic_algorithms_enabled()
    prepare_device("cpu")
    assert torch.are_deterministic_algorithms_enabled() == before
