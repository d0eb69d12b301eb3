"""The process of one classifier: `python -m fooling.service.asking.process SPEC --socket N`.

It says what its classifier is, then answers one question after another until its socket is closed, as when the server
ends. Its memory is limited, and the kernel kills it with the server.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fooling.errors import FoolingError, first_line
from fooling.service.asking.messages import LostError, Message, receive, send
from fooling.sizes import Size, size_of

if TYPE_CHECKING:
    from fooling.runs.evaluator import Evaluator

_SHAPES = 4  # sizes of images that the classifier is kept ready for
_PR_SET_PDEATHSIG = 1  # of Linux: the signal that a process gets when its parent dies


def main() -> int:
    """Answer questions until the server is gone."""
    parser = argparse.ArgumentParser(prog="fooling.service.asking.process")
    parser.add_argument("model")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--trust", action="store_true")
    given = parser.parse_args()
    _die_with(given.parent)
    _limit(given.memory)
    with socket.socket(fileno=given.socket) as connection:
        os.set_inheritable(given.socket, False)
        serve(connection, lambda: Warm(given.model, given.trust))
    return 0


def serve(connection: socket.socket, begin: Callable[[], Any]) -> None:
    """Open a classifier, say what it is, and answer.

    Args:
        begin: opens it; what it returns has `about` and `answer`, as `Warm` has.
    """
    with contextlib.suppress(LostError):
        try:
            warm = begin()
        except Exception as error:  # a library's, too: whoever asked is told what the model lacks
            send(connection, Message({"error": _told(error)}))
            return
        send(connection, Message(warm.about))
        while True:
            question = receive(connection)
            try:
                answer = warm.answer(question)
            except FoolingError as error:
                answer = Message({"error": _told(error)})
            except (
                Exception
            ) as error:  # the state of the process is unknown: the next question gets a new one
                send(connection, Message({"error": _told(error), "ending": True}))
                return
            send(connection, answer)


class Warm:
    """A classifier that is loaded, and ready for images of the last few sizes that it was shown.

    Attributes:
        about: what is said of it.
    """

    def __init__(self, model: str, trust: bool) -> None:
        """
        Raises:
            FoolingError: it can't be loaded, or is broken.
        """
        from fooling.config import RunSettings
        from fooling.runs.evaluator import open_evaluator

        # An image a pass: a question of one image is to be answered soon, and padding costs as much as images.
        self._open, self._run = open_evaluator, RunSettings(batch=1, evaluators=2)
        first = open_evaluator(model, run=self._run, trust=trust)
        self._classifier = first.classifier
        spec = first.classifier.spec
        self._ready: OrderedDict[tuple[Size, str | None], Evaluator] = OrderedDict({(spec.size, None): first})
        self.about = {
            "labels": list(spec.labels),
            "wordnet": None if spec.wordnet is None else list(spec.wordnet),
            "fingerprint": first.classifier.fingerprint,
        }

    def answer(self, question: Message) -> Message:
        """The confidences, (n, K) float32, in the images of a question, (n, H, W, C) uint8.

        Raises:
            FoolingError: the classifier takes no such images.
        """
        from fooling.runs.evaluator import in_channels

        pixels, views = question.array(np.uint8), question.about.get("views")
        evaluator = self._for(size_of(pixels.shape[1:3]), views)
        shown = in_channels(pixels, self._classifier.spec.channels)
        return Message.of(evaluator.evaluate(shown, allow_nan=True).confidences)

    def _for(self, size: Size, views: Any) -> Evaluator:
        key = (size, views)
        if key not in self._ready:
            if len(self._ready) >= _SHAPES:
                self._ready.popitem(last=False)[1].close()
            self._ready[key] = self._open(self._classifier, size=size, views=views, run=self._run)
        self._ready.move_to_end(key)
        return self._ready[key]


def _told(error: BaseException) -> str:
    kind = "" if isinstance(error, FoolingError) else f"{type(error).__name__}: "
    return kind + first_line(error)


def _die_with(parent: int) -> None:
    """End as soon as the parent has, even in the midst of a computation that never returns."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit(memory: int) -> None:
    """Take no more memory than so many bytes: a model that is too large is an error here, not the end of the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the memory is free at once, whatever libraries would still like to do
