"""The index: what it lists is what lies in the folder, whoever put it there and whatever becomes of the database."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time

import pytest

from fooling.errors import InvalidError, NotFoundError
from fooling.service.jobs import ConflictError, Jobs, State
from tests.fooling.service.jobs.foreign_runs import make_run, write_log
from tests.fooling.service.jobs.tiny_jobs import request, wait


@pytest.fixture
def names(jobs):
    """The names that are listed, after another look at the folder."""

    def look(**filters):
        jobs._refreshed = float("-inf")
        return sorted(job.name for job in jobs.list(**filters).items)

    return look


def test_runs_of_others_appear_while_they_run_and_change(root, jobs, names):
    """A failure costs whoever starts a run on the command line the sight of it."""
    run = make_run(root / "nested" / "theirs", ending=None, generations=2)
    with open(run / "lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert names() == ["theirs"]
        (job,) = jobs.list().items
        assert (job.state, job.ours, job.model, job.seed) == (State.RUNNING, False, "builtin:lenet", 7)
        assert (job.progress.generation, job.progress.evaluations, job.progress.median) == (2, 600, 0.5)
        write_log(run, 4)
        assert jobs.get(job.id).progress.generation == 4
        assert names(state=State.RUNNING) == ["theirs"]
        assert jobs.list().items[0].progress.generation == 4
        with pytest.raises(ConflictError):
            jobs.delete(job.id)
    assert names(state=State.PAUSED) == ["theirs"]  # its writer died, which its log does not tell
    write_log(run, 5, "completed")
    assert names(state=State.COMPLETED) == ["theirs"]
    for change in (jobs.pause, jobs.resume, jobs.cancel):
        with pytest.raises(ConflictError, match="fooling run"):
            change(job.id)
    assert jobs.directory(job.id) == run
    jobs.delete(job.id)
    assert not run.exists()
    assert names() == []
    with pytest.raises(NotFoundError):
        jobs.get(job.id)


def test_a_running_server_finds_them_by_itself(root, jobs):
    """A failure costs whoever looks at the list: it would show a run only after a restart."""
    with jobs.supervise():
        make_run(root / "theirs")
        wait(lambda: [job.name for job in jobs.list().items] == ["theirs"], 10)


def test_what_a_stranger_puts_there_is_not_believed(root, jobs, names, tmp_path):
    """A failure costs files outside of the folder: an imported run would show them, or have them deleted."""
    outside = make_run(tmp_path / "outside")
    root.mkdir(exist_ok=True)
    (root / "linked").symlink_to(outside)
    inner = root / "inner"
    inner.mkdir()
    (inner / "manifest.json").symlink_to(outside / "manifest.json")
    (inner / "events.jsonl").symlink_to(outside / "events.jsonl")
    logless = make_run(root / "logless")
    (logless / "events.jsonl").unlink()
    (logless / "events.jsonl").symlink_to(outside / "events.jsonl")
    make_run(root / "wrong", seed="seven")
    (root / "pipe").mkdir()
    os.mkfifo(root / "pipe" / "manifest.json")
    (root / ".hidden").mkdir()
    make_run(root / os.fsdecode(b"\xff\xfe"))
    strange = make_run(root / "\u202eelif\x1b[31m", model="<script>alert(1)</script>")
    assert names() == ["\\u202eelif\\x1b[31m", "logless"]
    logless_job = next(job for job in jobs.list().items if job.name == "logless")
    assert logless_job.progress.generation == -1
    job = next(job for job in jobs.list().items if job.name != "logless")
    # It is swapped for a link after it was listed.
    strange.rename(tmp_path / "moved")
    strange.symlink_to(tmp_path / "moved")
    for use in (jobs.get, jobs.directory, jobs.delete):
        with pytest.raises(NotFoundError):
            use(job.id)
    assert (tmp_path / "moved" / "manifest.json").exists()


@pytest.mark.parametrize(
    "id", ["", "..", "../..", "a" * 20, "A" * 20, "0" * 19, "0" * 20 + "\n", "\0", "é" * 20]
)
def test_no_text_becomes_a_path(jobs, id):
    """A failure costs the files of the machine: an id would name one."""
    for use in (
        jobs.get,
        jobs.directory,
        jobs.events_file,
        jobs.pause,
        jobs.resume,
        jobs.cancel,
        jobs.delete,
    ):
        with pytest.raises(NotFoundError):
            use(id)


def test_it_is_made_again_from_the_folder(root, jobs, names):
    """A failure costs the list of all runs, when a file that is only a cache is lost or damaged."""
    make_run(root / "theirs")
    mine = jobs.submit("run", request(), label="mine")
    before = jobs.list(limit=10).items
    index = root / ".fooling" / "index.sqlite"
    for damage in (
        lambda: index.unlink(),
        lambda: [path.unlink() for path in index.parent.glob("index.sqlite*")],
        lambda: index.write_bytes(b"no database" * 1000),
        lambda: index.write_bytes(index.read_bytes()[:3000]),
        lambda: _alone(index, "DROP TABLE jobs"),
        lambda: _alone(index, "PRAGMA user_version = 99"),
    ):
        damage()
        assert len(names()) == 2
        assert jobs.list().items == before
        assert jobs.get(mine.id).position == 1
        other = Jobs(root)
        assert other.list().items == before
        other.close()


def _alone(index, command):
    with sqlite3.connect(index) as connection:
        connection.execute(command)
    connection.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"state": "dancing"}', b'{"state": "queued", "started": -1}']
)
def test_a_damaged_record_is_told_and_can_be_mended(root, jobs, content):
    """A failure costs a job that is in no list, or the list, for a file that a disk has damaged."""
    job = jobs.submit("run", request())
    (root / ".fooling" / "jobs" / job.id / "state.json").write_bytes(content)
    with jobs.supervise():
        found = wait(lambda: jobs.list(state=State.FAILED).items, 10)
        assert [item.id for item in found] == [job.id]
        assert "state.json" in jobs.get(job.id).reason
    jobs._supervisor._running = 0
    assert jobs.resume(job.id).state is State.QUEUED
    (root / ".fooling" / "jobs" / job.id / "job.json").write_bytes(content)
    with pytest.raises(InvalidError):
        jobs.get(job.id)
    jobs._supervisor.refresh()


def test_lists_are_filtered_and_paged(root, jobs, names):
    """A failure costs runs that nobody finds any more."""
    for number in range(7):
        moment = f"2026-01-02T03:04:{number // 2:02d}+00:00"  # two at a time
        model = "builtin:lenet" if number % 2 else "builtin:mlp"
        make_run(
            root / f"run{number}",
            created=moment,
            model=model,
            ending="failed" if number == 3 else "completed",
        )
    mine = jobs.submit("run", request(), label="Ein Name")
    assert names(model="builtin:lenet") == sorted(["run1", "run3", "run5", mine.name])
    assert names(state=State.FAILED) == ["run3"]
    assert jobs.list(state=State.FAILED).items[0].reason == "why"
    assert names(q="RUN1") == ["run1"]
    assert names(q="ein n") == names(label="Ein Name") == [mine.name]
    assert names(label="Ein") == []
    assert names(q="%") == names(q="_") == []  # letters, not patterns
    assert names(kind="study") == []
    seen, cursor = [], None
    while True:
        page = jobs.list(limit=3, cursor=cursor)
        assert page.total == 8
        seen += [job.name for job in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == 8
    assert seen[0] == mine.name


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "W10", "WzEsIDJd", "\0", "é", "W05hTiwgIjAiXQ", "[" * 5000]
)
def test_cursors_that_are_none_are_refused(jobs, cursor):
    """A failure costs an error of the server, or a page that is none, for a mistyped address."""
    with pytest.raises(InvalidError):
        jobs.list(cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 10**6])
def test_limits_are_kept(jobs, limit):
    """A failure costs the server's memory."""
    with pytest.raises(InvalidError):
        jobs.list(limit=limit)


def test_the_next_run_is_estimated_from_earlier_ones(root, jobs, names):
    """A failure costs whoever plans a night's work: there would be no estimate, or one of another network."""
    settings = {"search.population": 200, "search.generations": 99}
    mine = jobs.submit("run", {"config": "mnist-cppn", "set": settings})
    assert mine.estimate_seconds is None
    make_run(root / "earlier")  # 2,000 images a second
    assert len(names()) == 2
    assert jobs.get(mine.id).estimate_seconds == pytest.approx(20_000 / 2000)
    other = jobs.submit("run", {"config": "mnist-direct", "set": settings})
    assert other.estimate_seconds is None


@pytest.mark.slow
def test_ten_thousand_runs_are_listed_at_once(root, jobs):
    """A failure costs whoever has many runs seconds at each look."""
    rows = [(root / f"run{number:05d}") for number in range(10_000)]
    template = make_run(root / "template")
    manifest, log = (template / "manifest.json").read_bytes(), (template / "events.jsonl").read_bytes()[-400:]
    for row in rows:
        row.mkdir()
        (row / "manifest.json").write_bytes(manifest)
        (row / "events.jsonl").write_bytes(log)
    jobs.list()  # fills the index
    jobs._refreshed = float("inf")
    took = []
    for _ in range(5):  # the machine may have other things to do
        began = time.perf_counter()
        assert jobs.list(limit=100).total == 10_001
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1
    assert len(jobs.list(limit=10_000).items) == 10_000


def test_a_dump_holds_no_directory(root, jobs):
    """A failure tells whoever asks over HTTP where things lie on this machine."""
    job = jobs.submit("run", request())
    assert job.directory
    assert "directory" not in job.model_dump()
    assert "directory" not in json.loads(job.model_dump_json())
    assert str(root) not in job.model_dump_json()
