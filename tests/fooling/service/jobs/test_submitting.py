"""Submitting: what was accepted is on the disk, once, and what is wrong is told at once."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.service.jobs import ConflictError, Jobs, QueueFullError, State
from tests.fooling.service.jobs.tiny_jobs import request


def test_what_was_accepted_is_there_for_the_next_server(root, jobs):
    """A failure costs the queue, at each restart."""
    first = jobs.submit("run", request(seed=1), label="one")
    second = jobs.submit("run", request(seed=2), label="two")
    assert [first.position, second.position] == [1, 2]
    other = Jobs(root)
    assert other.get(first.id) == first
    assert other.get(second.id) == second
    assert [job.id for job in other.list(state=State.QUEUED).items] == [second.id, first.id]
    other.close()


def test_it_has_reached_the_disk(root, jobs, monkeypatch):
    """A failure costs jobs that were accepted just before a power cut."""
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: (synced.append(os.readlink(f"/proc/self/fd/{file}")), real(file))[1]
    )
    job = jobs.submit("run", request())
    folder = root / ".fooling" / "jobs"
    assert str(folder) == synced[-1]  # its name, after all that is in it
    for name in ("job.json", "state.json"):
        assert any(f".{name}." in path or path.endswith(name) for path in synced)
    assert (folder / job.id / "job.json").exists()


def test_one_key_is_one_job(jobs):
    """A failure costs a second run of hours for a request that was only sent again."""
    first = jobs.submit("run", request(), label="a", idempotency_key="key")
    assert jobs.submit("run", request(), label="a", idempotency_key="key").id == first.id
    shuffled = {"set": request()["set"], "seed": 0, "config": "mnist-direct"}
    assert jobs.submit("run", shuffled, label="a", idempotency_key="key").id == first.id
    for other in ({"request": request(seed=1), "label": "a"}, {"request": request(), "label": "b"}):
        with pytest.raises(ConflictError):
            jobs.submit("run", idempotency_key="key", **other)
    assert jobs.submit("run", request(), label="a", idempotency_key="another").id != first.id
    assert jobs.submit("run", request(), label="a").id != jobs.submit("run", request(), label="a").id
    jobs.cancel(first.id)
    assert jobs.submit("run", request(), label="a", idempotency_key="key").state is State.CANCELLED
    jobs.delete(first.id)
    assert jobs.submit("run", request(), label="a", idempotency_key="key").state is State.QUEUED


def test_two_at_once_with_one_key_are_one_job(root):
    """A failure costs a second run for a client that was impatient."""
    several = [Jobs(root) for _ in range(4)]

    def submit(number):
        try:
            chosen = several[number % 4]
            return chosen.submit("run", request(seed=number // 16), idempotency_key=f"key{number % 2}").id
        except ConflictError:
            return None

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(submit, range(32)))
    assert len(set(found) - {None}) == 2
    assert len(found) - found.count(None) >= 16
    assert several[0].list().total == 2
    for each in several:
        each.close()


@pytest.mark.parametrize(
    "kind, asked, error",
    [
        ("run", {"config": "mnist-dirct"}, "did you mean mnist-direct"),
        ("run", {"config": "/etc/passwd"}, "no config named"),
        ("run", {"config": "../configs/mnist-direct.toml"}, "no config named"),
        ("run", {"config": 3}, "no config named"),
        ("run", {"set": {"search.generation": 3}}, "did you mean search.generations"),
        ("run", {"set": {"search.generations": -3}}, "expected"),
        ("run", {"set": ["search.generations"]}, "expected keys and values"),
        ("run", {"seed": -1}, "seed"),
        ("run", {"seeds": 1}, "did you mean seed"),
        ("run", {"out": "/tmp/x"}, "expected one of"),
        ("run", {"set": {"search.population": float("nan")}}, "expected"),
        ("run", {"model": "a\0b"}, "zero character"),
        ("run", {"set": {"model": object()}}, "expected JSON"),
        ("run", {"set": {"search.classes": [[[]]]}}, "search"),
        ("transfer", {"runs": [], "to": "\ud800"}, "the request"),
        (
            "transfer",
            {"runs": [], "to": json.loads("[" * 300 + "]" * 300)},
            "the request",
        ),
        ("transfr", {}, "did you mean transfer"),
        ("../run", {}, "no kind of job"),
        ("transfer", {"runs": ["0" * 20], "to": ["builtin:mlp"]}, "no job"),
        ("transfer", {"runs": "../secret", "to": ["builtin:mlp"]}, "no job"),
    ],
)
def test_what_is_wrong_is_told_at_once(jobs, kind, asked, error):
    """A failure costs a wait in the queue, after which the job fails for a typo."""
    with pytest.raises((InvalidError, NotFoundError), match=error):
        jobs.submit(kind, asked)
    assert jobs.list().items == []


@pytest.mark.parametrize(
    "label", ["\0", "\x1b[31m", "\u202e", "<script>", "'; DROP TABLE jobs; --", "é" * 1000]
)
def test_any_text_is_a_label(jobs, label):
    """A failure costs the list, or a job that is accepted and can't be read again."""
    job = jobs.submit("run", request(), label=label)
    assert jobs.get(job.id).label == label
    assert [item.id for item in jobs.list(label=label).items] == [job.id]
    assert [item.id for item in jobs.list(q=label).items] == [job.id]


def test_text_that_is_none_is_refused(jobs):
    """A failure costs a job that is accepted and can't be read again."""
    with pytest.raises(InvalidError):
        jobs.submit("run", request(), label="\ud800")
    assert jobs.list().items == []


def test_the_queue_has_an_end(root):
    """A failure costs the disk of a server that somebody floods."""
    jobs = Jobs(root, most_queued=2)
    ids = [jobs.submit("run", request()).id for _ in range(2)]
    with pytest.raises(QueueFullError):
        jobs.submit("run", request())
    jobs.pause(ids[0])
    jobs.submit("run", request())
    jobs.close()


def test_the_queue_is_ordered(root, jobs):
    """A failure costs whoever put a job in front the time of those behind it."""
    ids = [jobs.submit("run", request()).id for _ in range(4)]

    def queue():
        return [job.id for job in sorted(jobs.list().items, key=lambda job: job.position or 0)]

    assert queue() == ids
    assert jobs.reorder(ids[2], ids[0]).position == 1
    assert queue() == [ids[2], ids[0], ids[1], ids[3]]
    assert jobs.reorder(ids[2], None).position == 4
    assert jobs.reorder(ids[0], ids[0]).position == 1
    late = jobs.submit("run", request()).id
    assert queue() == [ids[0], ids[1], ids[3], ids[2], late]
    jobs.cancel(ids[1])
    with pytest.raises(ConflictError, match="cancelled"):
        jobs.reorder(ids[1], None)
    with pytest.raises(NotFoundError):
        jobs.reorder("0" * 20, None)
    (root / ".fooling" / "queue.json").write_text("no JSON")
    assert jobs.get(ids[0]).position == 1


def test_the_own_folder_is_private(root, jobs):
    """A failure shows requests, logs and the token beside them to every user of the machine."""
    jobs.submit("run", request())
    assert stat.S_IMODE((root / ".fooling").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """A failure costs whoever mistypes --root a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(FoolingError, match="file"):
        Jobs(tmp_path / "file")
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / ".fooling").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FoolingError, match="link"):
        Jobs(tmp_path / "root")


def test_the_server_loads_no_network():
    """A failure costs a server that starts in seconds instead of at once, and models in a process that faces the
    network."""
    code = "import sys, fooling.service.jobs; assert not {'torch', 'ray', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
