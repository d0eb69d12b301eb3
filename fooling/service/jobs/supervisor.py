"""The supervisor: two threads of a server. One starts waiting jobs and notices those whose process has died; the other
keeps the index up to date. Servers on the same folder do not know of each other: the mutex and the jobs' locks do."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import subprocess
import threading
import time

from fooling.errors import FoolingError, NotFoundError
from fooling.service.jobs.changes import empty_trash, remove_leftovers
from fooling.service.jobs.describing import stamp_of_job
from fooling.service.jobs.index import Index
from fooling.service.jobs.launching import Means, StillEndingError, launch
from fooling.service.jobs.locks import exclusive
from fooling.service.jobs.models import State
from fooling.service.jobs.places import Places, is_id
from fooling.service.jobs.queue import ordered, read_pinned
from fooling.service.jobs.records import Record, Wish
from fooling.service.jobs.recovery import COMPUTED, leave, settled
from fooling.service.jobs.scanning import Scanner

TICK = 0.25  # seconds between two looks at the jobs that run
_PATIENCE = {Wish.CANCEL: 30.0, Wish.PAUSE: 600.0}  # seconds until a process that does not obey is killed
_ENDING = 5.0  # seconds that a process may take to free its memory, while its job is to be started again
_SHARE = 20  # a look at the whole folder takes at most a twentieth of the time

_log = logging.getLogger(__name__)


class Supervisor:
    """Starts, watches and lists the jobs of a folder.

    Attributes:
        running: jobs that are computed at once.
    """

    def __init__(self, places: Places, index: Index, running: int, means: Means) -> None:
        self._places, self._index, self.running, self._means = places, index, running, means
        self._scanner = Scanner(places, index)
        self._children: list[subprocess.Popen[bytes]] = []
        self._seen: dict[str, str] = {}  # the stamps of jobs that may have a process
        self._ending: dict[str, float] = {}  # since when the last process of a job that waits is ending
        self._filled = -1  # `index.opened` when all jobs were last looked at
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_running(self) -> bool:
        """Whether its threads are there."""
        return bool(self._threads)

    def start(self) -> None:
        """Put right what was left of earlier servers, then start the threads."""
        self._stopping.clear()
        with exclusive(self._places.mutex):
            remove_leftovers(self._places)
        self._fill()
        self._tick_safely()
        for work in (self._watch, self._scan):
            thread = threading.Thread(target=work, name=f"jobs-{work.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the threads. Jobs that run go on."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._reap()

    def refresh(self) -> None:
        """Look at the whole folder."""
        self._fill()
        self._scanner.runs()

    def changed(self, id: str) -> None:
        """Look at a job that was just changed. The change is on the disk; an index that can't be written follows."""
        try:
            self._scanner.look(id)
        except sqlite3.Error:
            _log.exception("could not write the index")
        self._wake.set()

    def tick(self) -> None:
        """Put right the jobs whose process has died, then start as many as may run."""
        self._reap()
        if not self._places.live.exists():
            self._places.live.mkdir(mode=0o700)
            self._filled = -1
        if self._filled != self._index.opened:
            self._fill()  # something was deleted: without the index, nothing waits; without the other, nothing runs
        with exclusive(self._places.mutex):
            live = self._live()
            self._launch(live)
        for id in live | self._seen.keys():
            self._list(id, id in live)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(TICK)
            self._wake.clear()
            if not self._stopping.is_set():
                self._tick_safely()

    def _scan(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            began = time.monotonic()
            try:
                empty_trash(self._places)
                self.refresh()
            except Exception:  # the folder may be changed by anyone at any time; the next look may do better
                _log.exception("could not look at the whole folder")
            pause = max(1.0, _SHARE * (time.monotonic() - began))

    def _tick_safely(self) -> None:
        try:
            self.tick()
        except Exception:  # a full disk, say: jobs go on, and are looked at again
            _log.exception("could not look at the jobs")

    def _fill(self) -> None:
        """Look at all jobs; again, where the index was found deleted meanwhile."""
        self._filled = -1
        while self._filled != self._index.opened:
            self._filled = self._index.opened
            self._scanner.jobs()

    def _live(self) -> set[str]:
        """The jobs that a process computes. The caller holds the mutex."""
        live = set()
        for id in filter(is_id, os.listdir(self._places.live)):
            try:
                _, record, wish = settled(self._places, id)
            except NotFoundError:
                leave(self._places, id)
                continue
            except (FoolingError, OSError):
                _log.exception("could not look at job %s", id)
                continue
            if record.state in COMPUTED:
                live.add(id)
                self._urge(id, record, wish)
            else:
                leave(self._places, id)
                self._seen.setdefault(id, "")
        return live

    def _urge(self, id: str, record: Record, wish: Wish) -> None:
        """End a process that was asked to end, and does not: what it has kept is on the disk."""
        patience = _PATIENCE.get(wish)
        if patience is None or record.process is None or record.launching:
            return
        with contextlib.suppress(OSError):
            if time.time() - os.lstat(self._places.job(id).wish).st_mtime > patience:
                record.process.kill()

    def _launch(self, live: set[str]) -> None:
        """Start jobs that wait, until as many run as may. The caller holds the mutex."""
        if len(live) >= self.running:
            return
        waiting = self._index.ours_in([State.QUEUED])
        for id in ordered(waiting, read_pinned(self._places.queue)) if waiting else []:
            try:
                child = launch(self._places, id, self._means)
            except NotFoundError:
                child = None
            except StillEndingError:
                since = self._ending.setdefault(id, time.monotonic())
                if time.monotonic() - since < _ENDING:
                    return  # none overtakes it for that
                continue
            except OSError as error:  # no memory for a process, say: that is no fault of the job
                _log.warning("could not start job %s: %s", id, error)
                return
            self._seen.setdefault(id, "")
            self._ending.pop(id, None)
            if child is not None:
                self._children.append(child)
                live.add(id)
                if len(live) >= self.running:
                    return

    def _list(self, id: str, lives: bool) -> None:
        """Bring the row of a job up to date, if anything about it has changed."""
        directory = self._index.directory(id) or ""
        stamp = stamp_of_job(self._places, id, directory)
        if not stamp or not directory or stamp != self._seen.get(id):
            self._scanner.look(id)
        if lives:
            self._seen[id] = stamp
        else:
            self._seen.pop(id, None)

    def _reap(self) -> None:
        """Let children that have ended go, so that they do not stay as zombies."""
        self._children = [child for child in self._children if child.poll() is None]
