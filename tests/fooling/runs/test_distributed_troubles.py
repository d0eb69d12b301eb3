"""Runs on Ray workers whose classifier fails for some images: they get over it, or say what failed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.ray_runs import same

pytestmark = pytest.mark.xdist_group("runs on ray")

# Classifiers that make trouble, as the source `python:` finds them: in the folder that the run starts in.
TROUBLED = '''
import os, sys, time
from pathlib import Path
import torch
from torch import nn
from fooling import classifiers

class Network(nn.Module):
    """(n, 1, 8, 8) to (n, 4) logits, which are spoilt for one image of the third generation."""

    def __init__(self, trouble):
        super().__init__()
        self.head = nn.Linear(64, 4, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(4, 64, generator=torch.Generator().manual_seed(1)))
        self.trouble = trouble

    def forward(self, x):
        logits = self.head(x.flatten(1))
        marker = Path(os.environ["TROUBLE"])
        if self.trouble and (target := marker.read_text()) and target in map(digest, x):
            with open(f"{marker}.tries", "a") as file:
                file.write("x")
            if len(Path(f"{marker}.tries").read_text()) <= int(os.environ["TROUBLE_TIMES"]):
                self.trouble(logits)
        return logits

def digest(image):
    return str(float((image.detach().flatten() * torch.arange(64)).sum()))

def fail(logits):
    raise RuntimeError("the network\\nbroke")

def no_memory(logits):
    if len(logits) > 10:
        raise torch.OutOfMemoryError("out of memory. Tried to allocate 2.00 GiB.\\nGPU 0 has ...")

def made(trouble):
    spec = classifiers.Spec(name="troubled", size=8, colour="grey", labels=tuple("abcd"))
    return Network(trouble).eval(), spec

def sound(): return made(None)
def raises(): return made(fail)
def hangs(): return made(lambda logits: time.sleep(3600))
def dies(): return made(lambda logits: os._exit(1))
def hungry(): return made(no_memory)
'''


@pytest.fixture
def troubled(environment, tmp_path, fooling) -> Callable[..., Any]:
    """`troubled(name, times)`: a run with a classifier that makes trouble so many times with one image; and
    the same run with a sound one."""
    (tmp_path / "troubled.py").write_text(TROUBLED)
    marker = tmp_path / "marker"
    variables = {**environment, "TROUBLE": str(marker)}
    small: tuple[str, ...] = (
        "--set",
        "encoding.name=direct",
        "--set",
        "search.initial=100",
        "--set",
        "search.population=100",
    )
    small += ("--set", "search.generations=6", "--set", "run.chunk=50", "--set", "run.checkpoint_seconds=0")

    def target() -> str:
        """What `digest` says of child 60 of generation 3, from the sound network's own eyes."""
        code = "import fooling, torch, numpy as np\n"
        code += "from troubled import digest, sound\nfrom fooling.runs import handle\n"
        code += "seen = []\n"
        code += "def customise(toolbox):\n    original = toolbox.classify\n"
        code += "    def classify(pixels):\n        seen.append(np.asarray(pixels))\n"
        code += "        return original(pixels)\n    toolbox.register('classify', classify)\n"
        code += "settings = %r\n" % [part for part in small if part != "--set"]
        code += "settings += ['run.evaluators=1', 'model=python:troubled:sound']\n"
        code += "handle.run(out='looked', assignments=settings, trust=True, customise=customise)\n"
        code += "image = torch.from_numpy(seen[2 * 3 + 1][10]).float() / 255\n"
        code += "print(digest(image))\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**variables, "TROUBLE_TIMES": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    marker.write_text("")
    wanted = target()

    def run(name: str, times: int, *more: Any) -> subprocess.CompletedProcess[str]:
        marker.write_text(wanted)
        (tmp_path / "marker.tries").unlink(missing_ok=True)
        arguments = ("run", "--model", f"python:troubled:{name}", "--trust", "--json", "--quiet", *small)
        variables["TROUBLE_TIMES"] = str(times)
        return fooling(*arguments, "--out", tmp_path / name, *more, cwd=tmp_path, env=variables)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "troubled: the network failed on input of shape (50, 1, 8, 8): RuntimeError: the"),
        ("hangs", "no answer within 8 s (run.patience)"),
        ("dies", "its worker died (ActorDiedError)"),
    ],
)
def test_a_classifier_that_fails_for_one_image(name, reason, troubled, tmp_path):
    """(Answers that are not numbers are errors like the first.) Twice: the run has the archive of one without trouble. Always: it stops after three tries, names the
    children, and keeps its checkpoint, from which it goes on when the trouble is over."""
    patience = ("--set", "run.patience=8")
    whole = troubled("sound", 0)
    assert whole.returncode == 0, whole.stderr
    stopped = troubled(name, 10**9, "--workers", 2, *patience)
    assert stopped.returncode == 1
    (line,) = stopped.stderr.splitlines()
    assert line.startswith(f"error: children 50 to 99 of generation 3 failed 3 times: {reason}"), line
    assert "the checkpoint of generation 2 is kept; mend that, then: fooling resume" in line
    tries = len((tmp_path / "marker.tries").read_text())
    assert 3 <= tries <= 3 + (name == "hangs")  # what is late is tried on another worker meanwhile
    (tmp_path / name).rename(tmp_path / "stopped")
    recovered = troubled(name, 2, "--workers", 2, *patience)
    assert recovered.returncode == 0, recovered.stderr
    assert json.loads(recovered.stdout)["archive_sha256"] == json.loads(whole.stdout)["archive_sha256"]
    assert len((tmp_path / "marker.tries").read_text()) >= 3


@pytest.mark.slow
def test_memory_that_runs_out_on_a_worker_halves_the_batch(troubled, tmp_path):
    """For the whole run, as in one process: the same archive. A failure costs equal bits."""
    here = troubled("hungry", 10**9)
    assert here.returncode == 0, here.stderr
    (tmp_path / "hungry").rename(tmp_path / "here")
    there = troubled("hungry", 10**9, "--workers", 2)
    assert there.returncode == 0, there.stderr
    same(json.loads(there.stdout), json.loads(here.stdout))
    for name in ("here", "hungry"):
        log = [json.loads(line) for line in (tmp_path / name / "events.jsonl").read_text().splitlines()]
        halvings = [(event["generation"], event["batch"]) for event in log if event["event"] == "numerics"]
        assert halvings == [(3, 25), (3, 12), (3, 6)], name
