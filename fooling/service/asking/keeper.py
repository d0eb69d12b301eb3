"""One process of a classifier, and the thread of the server that talks to it."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError
from fooling.service.asking.answers import Answers, Model
from fooling.service.asking.messages import LostError, Message, receive, send
from fooling.service.jobs.launching import environment

_LOADING = (
    600.0  # seconds that a classifier may take to be loaded; whoever asks is told to come again much sooner
)


class RefusedError(FoolingError):
    """The classifier does not take the question; another one may do."""


class GoneError(FoolingError):
    """The process of a classifier has died, or hangs."""


class BrokenError(GoneError):
    """The classifier can't be opened."""


@dataclass(frozen=True)
class Question:
    """A question that waits.

    Attributes:
        pixels: (n, H, W, C) uint8.
        views: "ten": show each image as ten crops.
        answer: to come; RefusedError or GoneError where there is none.
    """

    pixels: NDArray[np.uint8]
    views: str | None
    answer: Future[Answers] = field(default_factory=Future)


@dataclass(frozen=True)
class Patience:
    """How long a process is waited for, and how much it may take.

    Attributes:
        answer: seconds that an answer may take.
        idle: seconds without a question after which it ends.
        memory: bytes that it may take.
    """

    answer: float = 60.0
    idle: float = 300.0
    memory: int = 2**33


class Child(Protocol):
    """A process that was started."""

    def end(self) -> None:
        """End it at once; again is no mistake."""
        ...


Start = Callable[[int], Child]  # starts a process that talks on the open socket of this number


class Keeper:
    """A process of a classifier. Its thread starts it, hands it one question after another, and ends it.

    Attributes:
        questions: those that wait and the one that is being answered.
    """

    def __init__(
        self,
        start: Start,
        patience: Patience,
        rests: Callable[[Keeper], bool],
        ended: Callable[[Keeper], None],
    ) -> None:
        """
        Args:
            start: starts the process.
            rests: called when nobody has asked for long; whether it shall end.
            ended: called when it has ended, whatever for.
        """
        self._start, self._patience, self._rests, self._ended = start, patience, rests, ended
        self._waiting: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._child: Child | None = None
        self._asked: Question | None = None  # what the process is answering
        self._lock, self._closing = threading.Lock(), False
        self.questions = 0
        self._thread = threading.Thread(target=self._keep, name="asking", daemon=True)
        self._thread.start()

    def ask(self, question: Question) -> None:
        """Put a question to the others that wait."""
        with self._lock:
            self.questions += 1
        question.answer.add_done_callback(self._answered)
        self._waiting.put(question)

    def close(self) -> None:
        """End the process at once, and wait for that; questions that wait are told."""
        with self._lock:
            self._closing = True
            self._end()
        self._waiting.put(None)
        self._thread.join()

    def _answered(self, _: Future[Answers]) -> None:
        with self._lock:
            self.questions -= 1

    def _keep(self) -> None:
        reason = GoneError("the classifier's process has ended")
        here, there = socket.socketpair()
        try:
            with here:
                with there, self._lock:
                    if self._closing:
                        return
                    self._child = self._start(there.fileno())
                self._serve(here)
        except (LostError, OSError) as error:
            reason = GoneError(f"the classifier's process was lost: {error}")
        except GoneError as error:
            reason = error
        finally:
            with self._lock:
                self._end()
            self._ended(self)
            self._refuse_all(reason)

    def _serve(self, connection: socket.socket) -> None:
        about = receive(connection, _LOADING).about
        if error := about.get("error"):
            raise BrokenError(f"the classifier can't be opened: {error}")
        wordnet = about["wordnet"]
        model = Model(tuple(about["labels"]), wordnet and tuple(wordnet), about["fingerprint"])
        while True:
            try:
                question = self._waiting.get(timeout=self._patience.idle)
            except queue.Empty:
                if self._rests(self):
                    return
                continue
            if question is None:
                return
            if question.answer.set_running_or_notify_cancel():  # who asked may have gone meanwhile
                self._put(connection, model, question)

    def _put(self, connection: socket.socket, model: Model, question: Question) -> None:
        """Put a question to the process, and pass its answer on.

        Raises:
            LostError, GoneError: the process can't be asked any more.
        """
        self._asked = question
        connection.settimeout(self._patience.answer)
        send(connection, Message.of(question.pixels, views=question.views))
        answer = receive(connection, self._patience.answer)
        error = answer.about.get("error")
        if error is not None and answer.about.get("ending"):
            raise GoneError(f"the classifier failed: {error}")
        found = None if error is not None else Answers(model, answer.array(np.float32))
        self._asked = None
        if found is None:
            question.answer.set_exception(RefusedError(str(error)))
        else:
            question.answer.set_result(found)

    def _refuse_all(self, reason: GoneError) -> None:
        """Tell who waits. Who asks again from now on gets a new process."""
        if self._asked is not None:
            self._asked.answer.set_exception(reason)
        while True:
            try:
                question = self._waiting.get_nowait()
            except queue.Empty:
                return
            if question is not None and question.answer.set_running_or_notify_cancel():
                question.answer.set_exception(reason)

    def _end(self) -> None:
        """End the process. The caller holds the lock."""
        if self._child is not None:
            self._child.end()


@dataclass(frozen=True)
class Program:
    """What starts the process of a model.

    Attributes:
        spec: of the model.
        trust: let it bring code of its own.
        memory: bytes that the process may take.
    """

    spec: str
    trust: bool
    memory: int

    def __call__(self, connection: int) -> Child:
        command = [sys.executable, "-P", "-m", "fooling.service.asking.process", self.spec]
        command += ["--socket", str(connection), "--parent", str(os.getpid()), "--memory", str(self.memory)]
        return _Group(
            subprocess.Popen(
                command + (["--trust"] if self.trust else []),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                pass_fds=[connection],
                start_new_session=True,
            )
        )


@dataclass(frozen=True)
class _Group:
    """A process and all that it has started."""

    process: subprocess.Popen[bytes]

    def end(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
