"""The asker: who may be asked, how many at once, and what becomes of classifiers that die or hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling import classifiers
from fooling.errors import InvalidError
from fooling.service.asking import Asker
from fooling.service.asking.keeper import Patience
from fooling.service.asking.messages import Message
from fooling.service.asking.process import Warm
from fooling.service.jobs.launching import environment
from fooling.service.problems import ProblemError
from tests.fooling.service.asking.fakes import Bright, Threads

SPECS = ("builtin:lenet", "builtin:mlp", "builtin:vit-mini")
WHITE = np.full((1, 4, 4, 1), 255, np.uint8)
SECONDS = 100.0  # far longer than anything here takes


@contextmanager
def asking(
    begin: Callable[[str], Any] = lambda spec: Bright(), **options: Any
) -> Iterator[tuple[Asker, Threads]]:
    threads = Threads(begin)
    asker = Asker(SPECS, start=threads, **options)
    try:
        yield asker, threads
    finally:
        asker.close()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def refused(asker: Asker, spec: str = SPECS[0], pixels: np.ndarray = WHITE) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        asker.ask(spec, pixels)
    return caught.value


def test_answers() -> None:
    """A failure says another class than the classifier does."""
    with asking() as (asker, threads):
        found = asker.ask(SPECS[0], np.concatenate([WHITE, 0 * WHITE]))
        assert [(answer.label, answer.confidence) for answer in found.top(0)] == [
            ("bright", 1.0),
            ("dark", 0.0),
        ]
        assert found.top(1, 1)[0].number == 0
        assert (found.confidence(1, 1), found.confidence(0, 7)) == (0.0, None)
        asker.ask(SPECS[0], WHITE)
        assert threads.begun == [SPECS[0]]


def test_an_image_without_a_confidence() -> None:
    """A failure puts NaN into JSON, or calls it a class."""

    class Lost(Bright):
        def answer(self, question: Message) -> Message:
            return Message.of(np.full((1, 2), np.nan, np.float32))

    with asking(lambda spec: Lost()) as (asker, _):
        found = asker.ask(SPECS[0], WHITE)
        assert (found.top(0), found.confidence(0, 0)) == ([], None)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 4, 4, 1), np.uint8),
        np.zeros((65, 4, 4, 1), np.uint8),
        np.zeros((1, 4, 4, 2), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((1, 4, 4, 1), np.float32),
        np.broadcast_to(np.uint8(0), (64, 4096, 4096, 3)),
    ],
    ids=["none", "many", "two channels", "one axis less", "floats", "bytes"],
)
def test_what_is_no_question(pixels: np.ndarray) -> None:
    """A failure makes the server copy whatever it is sent."""
    with asking() as (asker, threads):
        assert refused(asker, pixels=pixels).status == 422
        assert not threads.begun


def test_a_model_that_requests_may_not_name() -> None:
    """A failure opens any model for whoever asks."""
    with asking() as (asker, threads):
        assert refused(asker, "python:os:system").status == 403
        assert not threads.begun


def test_at_most_so_many_are_kept_ready() -> None:
    """A failure fills the memory with classifiers. The one that was asked the longest ago leaves."""
    with asking(warm=2) as (asker, threads):
        for spec in (*SPECS[:2], SPECS[0], SPECS[2]):
            asker.ask(spec, WHITE)
        assert asker.ready == (SPECS[0], SPECS[2])
        asker.ask(SPECS[1], WHITE)
        assert threads.begun == [SPECS[0], SPECS[1], SPECS[2], SPECS[1]]


def test_one_that_is_asked_keeps_its_place() -> None:
    """A failure ends a classifier in the midst of somebody's question."""
    entered, go = threading.Event(), threading.Event()

    class Slow(Bright):
        def answer(self, question: Message) -> Message:
            entered.set()
            go.wait(SECONDS)
            return super().answer(question)

    with asking(lambda spec: Slow(), warm=1, waiting=2) as (asker, _):
        asked = threading.Thread(target=asker.ask, args=(SPECS[0], WHITE))
        asked.start()
        assert entered.wait(SECONDS)
        error = refused(asker, SPECS[1])
        assert (error.status, error.headers["retry-after"]) == (503, "5")
        second = threading.Thread(target=asker.ask, args=(SPECS[0], WHITE))
        second.start()
        wait_until(lambda: "too many" in refused(asker, SPECS[1]).detail)
        go.set()
        asked.join()
        second.join()
        assert asker.ask(SPECS[1], WHITE).top(0)


def test_one_that_nobody_asks_ends() -> None:
    """A failure keeps the memory of a classifier for ever."""
    with asking(patience=Patience(idle=0.01)) as (asker, threads):
        asker.ask(SPECS[0], WHITE)
        wait_until(lambda: not asker.ready)
        asker.ask(SPECS[0], WHITE)
        assert len(threads.begun) == 2


def test_one_that_dies_is_begun_anew() -> None:
    """A failure answers nothing any more, after one image that a library could not digest."""

    class Mortal(Bright):
        def answer(self, question: Message) -> Message:
            if not question.array(np.uint8).any():
                raise RuntimeError("/a/b/c.so fell over")
            return super().answer(question)

    with asking(lambda spec: Mortal()) as (asker, threads):
        error = refused(asker, pixels=0 * WHITE)
        assert (error.status, error.detail) == (503, "the classifier failed: RuntimeError: c.so fell over")
        assert error.headers["retry-after"]
        assert asker.ask(SPECS[0], WHITE).top(0)
        assert len(threads.begun) == 2


def test_one_that_hangs_is_begun_anew() -> None:
    """A failure makes all who ask wait for ever."""
    over = threading.Event()

    class Hanging(Bright):
        def answer(self, question: Message) -> Message:
            over.wait(SECONDS)
            return super().answer(question)

    with asking(lambda spec: Hanging(), patience=Patience(answer=0.05)) as (asker, _):
        assert refused(asker).status == 503
        wait_until(lambda: not asker.ready)
        over.set()


def test_a_refused_question_ends_nothing() -> None:
    """A failure loads a classifier again for each image of a wrong size."""

    class Choosy(Bright):
        def answer(self, question: Message) -> Message:
            if question.array(np.uint8).shape[1] != 4:
                raise InvalidError("expected 4 x 4")
            return super().answer(question)

    with asking(lambda spec: Choosy()) as (asker, threads):
        asker.ask(SPECS[0], WHITE)
        assert refused(asker, pixels=np.zeros((1, 5, 5, 1), np.uint8)).status == 422
        asker.ask(SPECS[0], WHITE)
        assert len(threads.begun) == 1


def test_one_that_cannot_be_opened_is_not_tried_again_at_once() -> None:
    """A failure loads a broken model once for each click."""

    def begin(spec: str) -> Any:
        raise InvalidError("its weights are not there")

    with asking(begin) as (asker, threads):
        for _ in range(3):
            error = refused(asker)
            assert (error.status, error.detail) == (
                503,
                "the classifier can't be opened: its weights are not there",
            )
        assert len(threads.begun) == 1


def test_closing_tells_who_waits() -> None:
    """A failure makes the end of a server wait for a classifier."""
    entered, over, errors = threading.Event(), threading.Event(), []

    class Slow(Bright):
        def answer(self, question: Message) -> Message:
            entered.set()
            over.wait(SECONDS)
            return super().answer(question)

    with asking(lambda spec: Slow()) as (asker, _):
        asked = threading.Thread(target=lambda: errors.append(refused(asker)))
        asked.start()
        assert entered.wait(SECONDS)
        asker.close()
        asked.join()
        assert errors[0].status == 503
        assert refused(asker).status == 503
    over.set()


def test_images_of_another_size_and_colour() -> None:
    """They are shown as a transfer shows them. A failure asks about other images, or refuses those of other runs."""
    warm = Warm("builtin:lenet", False)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), np.uint8)
    found = warm.answer(Message.of(pixels, views=None)).array(np.float32)
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in pixels])[..., None]
    wanted = classifiers.load("builtin:lenet").with_input((20, 30)).classify(grey)
    assert np.allclose(found, wanted, atol=1e-6)


_SERVER = """
import sys, time
import numpy as np
from fooling.service.asking import Asker
asker = Asker(["builtin:lenet"])
pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), np.uint8)
print(asker.ask("builtin:lenet", pixels).confidences.tobytes().hex())
print(next(iter(asker._keepers.values()))._child.process.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.slow
def test_a_real_process_dies_with_its_server() -> None:
    """A failure answers otherwise than the classifier, or leaves its process behind when the server is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True, env=environment()
    ) as server:
        assert server.stdout is not None
        found = np.frombuffer(bytes.fromhex(server.stdout.readline()), np.float32).reshape(2, 10)
        child = int(server.stdout.readline())
        os.kill(child, 0)
        server.send_signal(signal.SIGKILL)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), np.uint8)
    assert np.allclose(found, classifiers.load("builtin:lenet").classify(pixels), atol=1e-6)

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(gone)
