"""The classifiers that are kept ready, and who may ask them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from fooling.service.asking.answers import Answers
from fooling.service.asking.keeper import (
    BrokenError,
    GoneError,
    Keeper,
    Patience,
    Program,
    Question,
    RefusedError,
    Start,
)
from fooling.service.permitted import check_model
from fooling.service.problems import ProblemError, without_paths

MOST_IMAGES = 64  # of a question
MOST_BYTES = 2**25  # of all its images together
_BROKEN = 30.0  # seconds in which a classifier that could not be asked is not opened again


class Asker:
    """Asks classifiers about a few images. May be used from any thread; whoever asks waits for the answer."""

    def __init__(
        self,
        models: Iterable[str],
        *,
        trust: bool = False,
        warm: int = 2,
        waiting: int = 16,
        patience: Patience | None = None,
        start: Callable[[str], Start] | None = None,
    ) -> None:
        """
        Args:
            models: the SPECs that may be asked.
            trust: let them bring code of their own.
            warm: how many of them are kept ready at once.
            waiting: how many questions may wait or be answered at once.
            patience: how long processes are waited for, and how much they may take.
            start: what starts the process of a model (default: `fooling.service.asking.process`).
        """
        self._models, self._warm, self._patience = tuple(models), warm, patience or Patience()
        memory = self._patience.memory
        self._start = start or (lambda spec: Program(spec, trust, memory))
        self._places = threading.BoundedSemaphore(waiting)
        self._lock, self._closed = threading.Lock(), False
        self._keepers: OrderedDict[str, Keeper] = OrderedDict()  # the one that was asked last at the end
        self._broken: dict[str, tuple[float, str]] = {}  # until when, and why

    @property
    def ready(self) -> tuple[str, ...]:
        """The SPECs of the classifiers that have a process."""
        with self._lock:
            return tuple(self._keepers)

    def ask(self, spec: str, pixels: NDArray[np.uint8], *, views: str | None = None) -> Answers:
        """What a classifier says of images.

        Args:
            spec: a model SPEC, one of those that requests may name.
            pixels: (n, H, W, C) uint8 of at most 64 images, as elites are kept: grey or RGB. Images of another size than
                the classifier's are resized, and converted from grey to RGB or back, as a transfer does.
            views: "ten": show each image as ten crops, as a run with `classifier.views` does.

        Raises:
            ProblemError: 403: a request may not name it; 422: these are no such images; 503: the classifier can't be
                asked now.
        """
        check_model(spec, self._models)
        _check(pixels)
        if not self._places.acquire(blocking=False):
            raise ProblemError(503, "too many questions are waiting for classifiers; try again", _again(2))
        try:
            question = Question(pixels, views)
            self._put(spec, question)
            return self._answered(spec, question)
        finally:
            self._places.release()

    def close(self) -> None:
        """End all processes; nothing can be asked any more."""
        with self._lock:
            self._closed = True
            keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.close()

    def _put(self, spec: str, question: Question) -> None:
        """Put a question to the process of a model: the one that is there, or a new one."""
        leaving: Keeper | None = None
        with self._lock:
            if self._closed:
                raise ProblemError(503, "the server ends", _again(5))
            if (keeper := self._keepers.get(spec)) is None:
                self._expect_whole(spec)
                leaving = self._make_room()
                keeper = self._keepers[spec] = Keeper(
                    self._start(spec), self._patience, self._rests, self._forget
                )
            self._keepers.move_to_end(spec)
            keeper.ask(question)
        if leaving is not None:
            leaving.close()

    def _answered(self, spec: str, question: Question) -> Answers:
        try:
            return question.answer.result(self._patience.answer)
        except RefusedError as error:
            raise ProblemError(422, without_paths(str(error))) from None
        except GoneError as error:
            detail = without_paths(str(error))
            if isinstance(error, BrokenError):
                with self._lock:
                    self._broken[spec] = (time.monotonic() + _BROKEN, detail)
            raise ProblemError(503, detail, _again(5)) from None
        except TimeoutError:
            question.answer.cancel()  # it may still be loading: what is loaded then answers the next question
            raise ProblemError(503, "the classifier has no answer yet; try again", _again(5)) from None

    def _expect_whole(self, spec: str) -> None:
        """Refuse a classifier that could not be opened a moment ago. The caller holds the lock."""
        until, detail = self._broken.pop(spec, (0.0, ""))
        if time.monotonic() < until:
            self._broken[spec] = (until, detail)
            raise ProblemError(503, detail, _again(until - time.monotonic()))

    def _make_room(self) -> Keeper | None:
        """The process that has to end before another one starts: of those that nobody asks, the one that was asked the
        longest ago. The caller holds the lock."""
        if len(self._keepers) < self._warm:
            return None
        for spec, keeper in self._keepers.items():
            if not keeper.questions:
                return self._keepers.pop(spec)
        raise ProblemError(503, "other classifiers are being asked; try again", _again(5))

    def _rests(self, keeper: Keeper) -> bool:
        """Let a process end that nobody asks any more."""
        with self._lock:
            if keeper.questions:
                return False
            self._drop(keeper)
            return True

    def _forget(self, keeper: Keeper) -> None:
        with self._lock:
            self._drop(keeper)

    def _drop(self, keeper: Keeper) -> None:
        for spec, each in self._keepers.items():
            if each is keeper:
                del self._keepers[spec]
                return


def _check(pixels: NDArray[np.uint8]) -> None:
    shaped = pixels.dtype == np.uint8 and pixels.ndim == 4 and pixels.shape[3] in (1, 3)
    if not shaped or not 1 <= len(pixels) <= MOST_IMAGES or not 1 <= pixels.nbytes <= MOST_BYTES:
        raise ProblemError(
            422,
            f"images: expected 1 to {MOST_IMAGES} of 8 bits, grey or RGB, of {MOST_BYTES:,} bytes together, "
            f"found {pixels.dtype} of shape {pixels.shape}",
        )


def _again(seconds: float) -> dict[str, str]:
    return {"retry-after": str(max(1, round(seconds)))}
