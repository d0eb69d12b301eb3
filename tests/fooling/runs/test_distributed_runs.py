"""Whole runs on Ray workers: the same archive wherever they are computed, whoever dies, and nothing left over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from fooling.runs import launch
from tests.ray_clusters import Holder, processes, wait_until

pytestmark = pytest.mark.xdist_group("runs on ray")

ROOT = Path(__file__).resolve().parents[3]
DIGESTS = ("archive_sha256", "lineage_sha256")
FEW = ("--set", "search.generations=12", "--set", "search.population=60", "--set", "run.chunk=25")
MANY = ("--set", "search.generations=200")
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}  # else Ray itself writes one into ~/.ray
CONFIGS = ("mnist-cppn", "mnist-direct")

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

def spoil(logits):
    logits[:] = float("nan")

def fail(logits):
    raise RuntimeError("the network\\nbroke")

def no_memory(logits):
    if len(logits) > 10:
        raise torch.OutOfMemoryError("out of memory. Tried to allocate 2.00 GiB.\\nGPU 0 has ...")

def made(trouble):
    spec = classifiers.Spec(name="troubled", size=8, colour="grey", labels=tuple("abcd"))
    return Network(trouble).eval(), spec

def sound(): return made(None)
def nan(): return made(spoil)
def raises(): return made(fail)
def hangs(): return made(lambda logits: time.sleep(3600))
def dies(): return made(lambda logits: os._exit(1))
def hungry(): return made(no_memory)
'''


@contextmanager
def command(
    environment: dict[str, str], *arguments: Any, cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`fooling` with these arguments, under way; killed at the end of the block if it still is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fooling", *map(str, arguments)],
        env=environment,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a command printed as JSON; it ended well."""
    out, said = process.communicate(timeout=250)
    assert process.returncode == 0, said
    assert left_behind(process.pid) == []
    return json.loads(out)


def workers_of(pid: int) -> list[int]:
    """The Ray workers of a run's own cluster."""
    return sorted(set(processes("ray::Worker")) & set(cluster_of(pid)))


def cluster_of(pid: int) -> list[int]:
    """All processes of a run's own cluster."""
    return processes(f"FOOLING_RAY_FOLDER=/tmp/fooling-ray-{pid}-", environ=True)


def left_behind(pid: int) -> list[str]:
    """What is there of a run's own cluster: processes and folders."""
    return [*map(str, cluster_of(pid)), *map(str, Path("/tmp").glob(f"fooling-ray-{pid}-*"))]


def generations(out: Path) -> int:
    """The last generation in a run's log, -1 before there is one."""
    events = out / "events.jsonl"
    lines = events.read_bytes().splitlines() if events.exists() else []
    return sum(line.startswith(b'{"event": "generation"') for line in lines) - 1


def same(found: dict[str, Any], whole: dict[str, Any]) -> None:
    assert [found[key] for key in DIGESTS] == [whole[key] for key in DIGESTS]
    assert found["status"] == "completed"


def test_two_workers_give_the_archive_of_one_process(small_run, environment, tmp_path):
    """And nothing but our own lines on the terminal, the workers' words in the run directory, and nothing
    left of the cluster. A failure costs the meaning of a seed, or the machine's order."""
    arguments = ("run", "--out", tmp_path / "run", "--workers", 2, "--json", *FEW)
    token = Path.home() / ".ray" / "auth_token"
    had_token = token.exists()
    variables = {**environment, "TMPDIR": str(tmp_path), "RAY_ADDRESS": "127.0.0.1:1"}  # neither is of use
    with command(variables, *arguments) as process:
        out, said = process.communicate(timeout=250)
    assert process.returncode == 0, said
    same(json.loads(out), small_run[1])
    lines = said.splitlines()
    assert lines[0].startswith("loading the classifier")
    assert all(line.startswith("generation ") for line in lines[1:])
    assert len(list((tmp_path / "run" / "logs").glob("worker-*.log"))) == 2
    assert left_behind(process.pid) == []
    assert {path.name for path in tmp_path.iterdir()} == {"run"}
    assert token.exists() == had_token


@pytest.fixture(scope="module")
def long_run(fooling, tmp_path_factory) -> Callable[[str], dict[str, Any]]:
    """`long_run(config)`: 200 generations in this process's own kind."""
    made: dict[str, dict[str, Any]] = {}

    def run(config: str) -> dict[str, Any]:
        if config not in made:
            out = tmp_path_factory.mktemp("long") / "run"
            result = fooling("run", config, "--out", out, "--json", "--quiet", *MANY)
            assert result.returncode == 0, result.stderr
            made[config] = json.loads(result.stdout)
        return made[config]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("config", CONFIGS)
def test_any_number_of_workers(config, workers, long_run, environment, tmp_path):
    arguments = ("run", config, "--out", tmp_path / "run", "--workers", workers, "--json", "--quiet", *MANY)
    with command(environment, *arguments) as process:
        same(finished(process), long_run(config))


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS)
def test_a_worker_killed_every_two_seconds(config, long_run, environment, tmp_path):
    """Ready or still starting: any, as long as one is ready, without which a slow machine gets nowhere. A
    failure costs runs on machines that others may reclaim."""
    arguments = ("run", config, "--out", tmp_path / "run", "--workers", 3, "--json", "--quiet", *MANY)
    killed = []
    draw = random.Random(config)
    with command(environment, *arguments) as process:
        stop = threading.Event()

        def kill() -> None:
            while not stop.wait(2):
                pids = workers_of(process.pid)
                if set(pids) - set(processes("ray::Worker.prepare")):
                    killed.append(draw.choice(pids))
                    os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            out, said = process.communicate(timeout=280)
        finally:
            stop.set()
            killer.join()
    assert process.returncode == 0, said
    assert said == ""  # not even then has Ray anything to say
    same(json.loads(out), long_run(config))
    assert len(killed) >= 2
    assert left_behind(process.pid) == []


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS)
def test_the_driver_is_killed_and_the_run_goes_on_elsewhere(config, long_run, environment, tmp_path, fooling):
    """First with other workers, then in one process; what the killed left behind is cleaned up."""
    out = tmp_path / "run"
    cadence = ("--set", "run.checkpoint_seconds=0.2")
    begin = ("run", config, "--out", out, "--workers", 3, "--quiet", *MANY, *cadence)
    go_on = ("resume", out, "--workers", 2, "--quiet")
    for arguments, generation in ((begin, 50), (go_on, 110)):
        with command(environment, *arguments) as process:
            wait_until(lambda: generations(out) >= generation, f"generation {generation}", 120)  # noqa: B023
            process.kill()
            process.wait()
            wait_until(lambda: not workers_of(process.pid), "the end of the workers", 30)
        assert fooling("doctor").returncode == 0
        assert left_behind(process.pid) == []
    view = launch.resume(out, workers=0)
    whole = long_run(config)
    assert view.archive.digest() == whole["archive_sha256"]
    shown = json.loads(fooling("show", out, "--json").stdout)
    same(shown, whole)


@pytest.mark.slow
def test_a_thousand_classes(assets, environment, tmp_path):
    run = ("run", "imagenet-cppn", "--model", "python:benchmarks.zoo:mcunet_5fps_128", "--trust", "--json")
    few = ("--quiet", "--set", "search.generations=4", "--set", "search.population=100")
    variables = {**environment, "FOOLING_ASSETS": str(assets)}
    found = []
    for workers in ([], ["--workers", 2], ["--workers", 3]):
        out = tmp_path / f"run{len(found)}"
        with command(variables, *run, "--out", out, *few, *workers, cwd=ROOT) as process:
            found.append(finished(process))
    for other in found[1:]:
        same(other, found[0])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_checkpoint_and_nothing_else(number, small_run, environment, tmp_path, fooling):
    """A failure costs the generations since the last checkpoint, or processes that eat a machine's memory."""
    out = tmp_path / "run"
    longer = ("--set", "run.checkpoint_seconds=3600", *FEW, "--set", "search.generations=5000")
    with command(environment, "run", "--out", out, "--workers", 2, "--quiet", *longer) as process:
        wait_until(lambda: generations(out) >= 5, "generation 5", 120)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == f"interrupted; continue with: fooling resume {out}\n"
    assert left_behind(process.pid) == []
    assert list((out / "checkpoints").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "later", "number"),
    [
        ("a folder", 0, signal.SIGINT),
        ("a folder", 0.3, signal.SIGTERM),
        ("a raylet", 0, signal.SIGTERM),
        ("a raylet", 0.3, signal.SIGINT),
        ("a worker", 0, signal.SIGINT),
        ("a run directory", 0, signal.SIGTERM),
    ],
)
def test_a_signal_while_everything_starts(number, moment, later, environment, tmp_path):
    """Whenever it comes, once there is something to clean up: exit 130, no cluster, no half-made directory."""
    out = tmp_path / "run"
    endless = ("--set", "search.generations=100000")
    with command(environment, "run", "--out", out, "--workers", 2, "--quiet", *endless) as process:
        there = {
            "a folder": lambda: list(Path("/tmp").glob(f"fooling-ray-{process.pid}-*")),
            "a raylet": lambda: set(processes("raylet/raylet")) & set(cluster_of(process.pid)),
            "a worker": lambda: workers_of(process.pid),
            "a run directory": out.exists,
        }
        wait_until(there[moment], moment)
        time.sleep(later)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.strip().startswith(("error: interrupted", "interrupted; "))
    assert said.strip().count("\n") == 0
    assert left_behind(process.pid) == []
    assert not list(tmp_path.glob(".*"))


# Classifiers that fail for some images.


@pytest.fixture
def troubled(environment, tmp_path, fooling) -> Callable[..., Any]:
    """`troubled(name, times)`: a run with a classifier that makes trouble so many times with one image; and
    the same run with a sound one."""
    (tmp_path / "troubled.py").write_text(TROUBLED)
    marker = tmp_path / "marker"
    variables = {**environment, "TROUBLE": str(marker)}
    small = ("--set", "encoding.name=direct", "--set", "search.initial=100", "--set", "search.population=100")
    small += ("--set", "search.generations=6", "--set", "run.chunk=50", "--set", "run.checkpoint_seconds=0")

    def target() -> str:
        """What `digest` says of child 60 of generation 3, from the sound network's own eyes."""
        code = "import fooling, torch, numpy as np\n"
        code += "from troubled import digest, sound\nfrom fooling.runs import launch\n"
        code += "seen = []\n"
        code += "def customise(toolbox):\n    original = toolbox.classify\n"
        code += "    def classify(pixels):\n        seen.append(np.asarray(pixels))\n"
        code += "        return original(pixels)\n    toolbox.register('classify', classify)\n"
        code += "settings = %r\n" % [part for part in small if part != "--set"]
        code += "settings += ['run.evaluators=1', 'model=python:troubled:sound']\n"
        code += "launch.run(out='looked', assignments=settings, trust=True, customise=customise)\n"
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
        ("nan", "troubled: expected"),
        ("hangs", "no answer within 4 s (run.patience)"),
        ("dies", "its worker died (ActorDiedError)"),
    ],
)
def test_a_classifier_that_fails_for_one_image(name, reason, troubled, tmp_path):
    """Twice: the run has the archive of one without trouble. Always: it stops after three tries, names the
    children, and keeps its checkpoint, from which it goes on when the trouble is over."""
    patience = ("--set", "run.patience=4")
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


# Clusters that were there before.


@pytest.fixture(scope="module")
def holder() -> Iterator[Holder]:
    with Holder() as held:
        yield held


@pytest.mark.slow
def test_on_a_cluster_of_several_nodes_that_come_and_go(holder, small_run, environment, tmp_path):
    """One leaves, then all, then another comes: the same archive. What was there before is left there."""
    first, second = holder.add(), holder.add()
    out = tmp_path / "run"
    slow = ("--set", "search.generations=12", "--set", "search.population=60", "--set", "run.chunk=2")
    variables = {**environment, **holder.environment}
    arguments = ("run", "--out", out, "--address", holder.address, "--json", "--quiet", *slow)
    with command(variables, *arguments) as process:
        wait_until(lambda: generations(out) >= 0, "the first generation")
        holder.kill(first)
        seen = generations(out)
        wait_until(lambda: generations(out) > seen or process.poll() is not None, "another generation")
        holder.kill(second)
        with holder.node():
            out_, said = process.communicate(timeout=200)
            assert process.returncode == 0, said
            assert said.strip() in ("", "waiting for 1 CPU core, the cluster has 0")
            same(json.loads(out_), small_run[1])
            wait_until(lambda: not holder.workers(), "the end of the workers", 20)


@pytest.mark.slow
def test_a_cluster_that_was_there_is_left_as_it_was(holder, small_run, environment, tmp_path):
    """Its nodes, and somebody else's actor; also after an error. A failure costs other people's work."""
    foreign = """
import ray, sys
ray.init(sys.argv[1], log_to_driver=False, namespace="foreign")

@ray.remote(num_cpus=0)
class Foreign:
    def answer(self):
        return 42

actor = Foreign.options(name="foreign", lifetime="detached").remote()
print(ray.get(actor.answer.remote()), flush=True)
for line in sys.stdin:
    print(ray.get(actor.answer.remote()), sum(node["Alive"] for node in ray.nodes()), flush=True)
ray.kill(actor)
"""
    variables = {**environment, **holder.environment}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": variables}
    with (
        holder.node(cpus=2),
        subprocess.Popen([sys.executable, "-c", foreign, holder.address], **pipes) as other,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "42\n"
        on = ("--address", holder.address, "--workers", 2, "--json", "--quiet")
        with command(variables, "run", "--out", tmp_path / "run", *on, *FEW) as process:
            same(finished(process), small_run[1])
        with command(variables, "run", "--out", tmp_path / "run", *on, *FEW) as process:
            process.wait(60)
        assert process.returncode == 1  # the run directory exists
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "42 2\n"
        wait_until(lambda: not holder.workers(), "the end of the workers", 20)
        other.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_waiting(number, holder, environment, tmp_path):
    """One line says what is waited for; then exit 130, without a run directory."""
    variables = {**environment, **holder.environment}
    gpus = ("--set", "run.device=cpu", "--set", "run.gpus=1")
    on = ("--address", holder.address, "--workers", 2, *gpus)
    with holder.node(gpus=1), command(variables, "run", "--out", tmp_path / "run", *on) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("loading the classifier")
        # One of the two is there: this line is said before it has started.
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 1\n"
    with holder.node(), command(variables, "run", "--out", tmp_path / "none", *on) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("loading the classifier")
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 0\n"
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(number)
        out, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, said.strip()) == ("", "error: interrupted")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_workers_that_share_a_logical_gpu(holder, small_run, environment, tmp_path):
    """Half a GPU each, and the waiting is over when a node joins."""
    variables = {**environment, **holder.environment}
    gpus = ("--set", "run.device=cpu", "--set", "run.gpus=0.5")
    on = ("--address", holder.address, "--workers", 4, *gpus)
    arguments = ("run", "--out", tmp_path / "run", "--json", "--quiet", *on, *FEW)
    with command(variables, *arguments) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting for 2 GPUs, the cluster has 0\n"
        with holder.node(cpus=4, gpus=4):
            out, said = process.communicate(timeout=200)
    assert process.returncode == 0
    assert said == ""
    same(json.loads(out), small_run[1])


@pytest.mark.slow
def test_a_program_that_uses_ray_keeps_its_connection(small_run, environment, tmp_path):
    """A failure costs a user's own actors: our end would be theirs."""
    program = """
import signal, sys
import ray
import fooling

ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)

@ray.remote(num_cpus=0)
class Own:
    def answer(self):
        return 42

own = Own.remote()
handler = signal.getsignal(signal.SIGTERM)
run = fooling.run(out=sys.argv[1], assignments=sys.argv[2:], flags={"run.workers": 2})
assert ray.get(own.answer.remote()) == 42
assert signal.getsignal(signal.SIGTERM) is handler
print(run.archive.digest())
"""
    settings = [part for part in FEW if part != "--set"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run"), *settings],
        env={**environment, "RAY_USAGE_STATS_ENABLED": "0", **TOKEN},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == small_run[1]["archive_sha256"]


@pytest.mark.slow
def test_a_classifier_and_operators_from_python(environment, tmp_path):
    """They travel to the workers. A failure costs all programs that bring their own network."""
    program = """
import sys
import torch
from torch import nn
import fooling
from fooling import classifiers

torch.manual_seed(1)
network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).eval()
spec = classifiers.Spec(name="mine", size=8, colour="grey", labels=tuple("abcd"))
classifier = classifiers.from_module(network, spec)
rate = 0.25

def customise(toolbox):
    original = toolbox.mutate
    toolbox.register("mutate", lambda population, keys: original(population, keys))

for workers in (None, 2):
    run = fooling.run(
        out=f"{sys.argv[1]}/{workers}", classifier=classifier, customise=customise,
        assignments=["search.generations=5", "search.population=30", "run.chunk=10"],
        flags={"run.workers": workers} if workers else {},
    )
    print(run.archive.digest())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here, there = done.stdout.split()
    assert here == there


@pytest.mark.cuda
@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_two_workers_on_one_real_gpu(environment, tmp_path):
    """On CUDA: two workers share it, and the archive is that of one process on the same GPU."""
    found = []
    for workers in ([], ["--workers", 2]):
        out = tmp_path / f"run{len(found)}"
        arguments = ("run", "--out", out, "--set", "run.device=cuda", "--json", "--quiet", *FEW, *workers)
        with command(environment, *arguments) as process:
            found.append(finished(process))
    same(found[1], found[0])
    assert "cuda" in json.loads((tmp_path / "run1" / "manifest.json").read_text())["numerics"]["device"]
