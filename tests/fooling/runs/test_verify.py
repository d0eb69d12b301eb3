"""`show --verify`: a digest says that a checkpoint is whole, not that it is true. A failure costs a reader the one
means to tell a stranger's claim from a fact."""

from __future__ import annotations

import json

import numpy as np
from click.testing import CliRunner

from fooling.cli.app import cli
from fooling.errors import InvalidError
from fooling.store.reading import open_run
from tests.fooling.runs.foreign import copy_of, edit_array, edit_manifest


def verified(run, *options):
    return CliRunner().invoke(cli, ["show", str(run), "--verify", *options], standalone_mode=False)


def test_the_claims_of_a_run_of_ours_hold_to_the_bit(small_run):
    result = verified(small_run[0], "--json")
    assert result.return_value == 0
    assert json.loads(result.stdout)["verification"] == {
        "claims": 10,
        "hold": 10,
        "tolerance": 0.0,
        "failed": [],
    }
    assert "verification" not in json.loads(
        CliRunner().invoke(cli, ["show", str(small_run[0]), "--json"]).stdout
    )


def test_a_confidence_that_was_raised(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    was = float(open_run(run).confidence[4])
    edit_array(run, "confidence", lambda values: values.__setitem__(4, 0.9999))
    result = verified(run, "--json")
    assert result.return_value == 1
    (claim,) = json.loads(result.stdout)["verification"]["failed"]
    assert claim == {
        "class": 4,
        "label": "4",
        "claimed": float(np.float32(0.9999)),
        "found": was,
        "drawn": True,
    }
    shown = verified(run)
    assert shown.return_value == 1
    assert "verified: 9 of 10 claims hold, within 0" in shown.stdout
    assert "class 4 (4): claimed 0.9998999834060669, found" in shown.stdout


def test_pixels_that_the_genotype_does_not_draw(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    row = int(open_run(run).stored_rows[2])
    edit_array(run, "pixels", lambda pixels: pixels[row].fill(128))
    failed = json.loads(verified(run, "--json").stdout)["verification"]["failed"]
    assert [claim["drawn"] for claim in failed if claim["class"] == 2] == [False]


def test_elsewhere_last_bits_may_differ(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    edit_manifest(run, lambda manifest: manifest["versions"].update(torch="1.0"))
    edit_array(run, "confidence", lambda values: np.subtract(values, np.float32(1e-5), out=values))
    result = verified(run, "--json")
    assert result.return_value == 0
    assert json.loads(result.stdout)["verification"]["tolerance"] == 2e-5


def test_another_classifier(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    edit_manifest(run, lambda manifest: manifest["classifier"].update(fingerprint="0" * 64))
    assert isinstance(verified(run).exception, InvalidError)
