"""Asks a remote classifier about images: each once, within the budget, as fast as it allows.

The order of things around a request is what keeps the promises: the book is looked up first; the query is
counted, then sent; the answer is kept, then used. Threads that ask about the same image share one request.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.sources.http import forms, secrets
from fooling.classifiers.sources.http.book import Book
from fooling.classifiers.sources.http.forms import Answer, MisreadError
from fooling.classifiers.sources.http.pace import Pace, back_off
from fooling.classifiers.sources.http.spec import Document
from fooling.classifiers.sources.http.transport import Reply, Transport, TransportError
from fooling.errors import FoolingError, InvalidError, OutOfAnswers

_AGAIN = (408, 425, 429, *range(500, 600))  # statuses after which another try may succeed
_REDIRECTS = 3  # in a row


class RefusedError(OutOfAnswers, InvalidError):
    """The server refuses, or says what the spec does not expect: another try would get the same."""

    exit_code = InvalidError.exit_code


class _TryAgainError(Exception):
    """A try that failed; `wait` is how many seconds the server asks to wait, None where it does not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Batch:
    """The images of one call: where one of them gets no answer, nothing more is sent for the others.

    Attributes:
        error: why it was given up; None where it was not.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._given_up = threading.Event()

    def give_up(self, error: BaseException) -> None:
        self.error = self.error or error
        self._given_up.set()

    def rest(self, seconds: float) -> None:
        """Wait, but not for nothing."""
        self._given_up.wait(seconds)


class Client:
    """Asks one server, from several threads at once."""

    def __init__(self, name: str, document: Document, book: Book, logits: bool = False) -> None:
        """`name` is what messages call it; `logits`: the server answers with these, not with scores."""
        self._name, self._document, self._book, self._logits = name, document, book, logits
        pace = document.pace
        self._transport = Transport(document.request, pace.timeout, pace.concurrency)
        self._pace = Pace(pace.per_second)
        self._pool = ThreadPoolExecutor(pace.concurrency, "http")
        self._secrets = secrets.names_in(document.request.model_dump())
        self._lock = threading.Lock()
        self._pending: dict[bytes, Future[Answer]] = {}
        self._was_understood = False  # until an answer was, one that is not is the spec's fault
        self._question = document.question

    def answers(self, images: NDArray[np.uint8]) -> list[Answer]:
        """What the server says of images, (n, H, W, C) uint8.

        Raises:
            OutOfAnswers: the budget is spent, the server fails for good or (RefusedError) refuses. What was
                under way is finished and kept.
            FoolingError: the book can't be used.
        """
        batch = _Batch()
        asked = [self._asked(image, batch) for image in images]
        wait(asked)
        return [future.result() for future in asked]

    def _asked(self, image: NDArray[np.uint8], batch: _Batch) -> Future[Answer]:
        """The answer, if it is known; else that to the one request which asks for it."""
        key = hashlib.sha256(self._question + str(image.shape).encode() + image.tobytes()).digest()
        with self._lock:
            if (known := self._pending.get(key)) is not None:
                return known
            if (text := self._book.answer(key)) is not None:
                self._was_understood = True
                future: Future[Answer] = Future()
                future.set_result(forms.restored(text))
                return future
            future = self._pending[key] = self._pool.submit(self._ask, key, image, batch)
        future.add_done_callback(lambda _: self._forget(key))
        return future

    def _forget(self, key: bytes) -> None:
        with self._lock:
            self._pending.pop(key, None)

    def _ask(self, key: bytes, image: NDArray[np.uint8], batch: _Batch) -> Answer:
        """Ask about an image until there is an answer; keep it."""
        try:
            answer = self._tried(key, *forms.body_of(image, self._document.request), batch)
            self._book.keep(key, forms.stored(answer))
            return answer
        except BaseException as error:
            if error is not batch.error:
                batch.give_up(self._told(error))
            raise batch.error or error from None

    def _told(self, error: BaseException) -> BaseException:
        """An error as the user is to see it."""
        if not isinstance(error, FoolingError):
            return error
        kind = RefusedError if isinstance(error, InvalidError) else type(error)
        return kind(f"{self._name}: {secrets.redacted(str(error), self._secrets)}")

    def _tried(self, key: bytes, body: bytes, content_type: str, batch: _Batch) -> Answer:
        tries = self._document.pace.retries + 1
        for attempt in range(tries):
            try:
                return self._try(body, content_type, batch)
            except _TryAgainError as error:
                reason, asked_for = str(error), error.wait
            if attempt + 1 < tries:
                self._rest(asked_for, attempt, key, batch)
        raise OutOfAnswers(f"no answer in {tries} tries: {reason}")

    def _try(self, body: bytes, content_type: str, batch: _Batch) -> Answer:
        """One try: a request, and more of them where it is redirected."""
        url = secrets.filled(self._document.request.url)  # but never where a redirect leads
        for _ in range(1 + _REDIRECTS):
            self._pace.turn()
            if batch.error is not None:
                raise batch.error
            self._count()
            try:
                reply = self._transport.post(url, body, content_type)
            except TransportError as error:
                raise _TryAgainError(str(error)) from None
            target = self._transport.followed(url, reply)
            if target is None:
                return self._understood(reply)
            url = target
        raise InvalidError(f"expected an answer, found {_REDIRECTS + 1} redirects in a row")

    def _count(self) -> None:
        """Take a query out of the budget."""
        budget = self._document.budget
        if self._book.reserve(budget):
            return
        spent = self._book.spent
        sent = f"{spent.queries} queries" + (
            "" if budget.queries is None else f" of at most {budget.queries}"
        )
        cost = "" if budget.cost is None else f", {spent.cost:g} of at most {budget.cost:g}"
        raise OutOfAnswers(f"the budget is spent ({sent}{cost}); to go on, raise it under [budget]")

    def _understood(self, reply: Reply) -> Answer:
        """What a reply says."""
        if reply.status in _AGAIN:
            raise _TryAgainError(f"the server answered {reply.status}{_beginning(reply)}", reply.retry_after)
        if not 200 <= reply.status < 300:
            raise InvalidError(f"the server refuses: {reply.status}{_beginning(reply)}")
        try:
            answer = forms.read(reply.body, self._document.response, self._logits)
        except MisreadError as error:
            if not self._was_understood:
                raise InvalidError(f"{error}, in the answer{_beginning(reply)}; see [response]") from None
            raise _TryAgainError(str(error)) from None
        except (ValueError, RecursionError):
            raise _TryAgainError(f"expected JSON, found{_beginning(reply) or ' nothing'}") from None
        self._was_understood = True
        return answer

    def _rest(self, asked_for: float | None, attempt: int, key: bytes, batch: _Batch) -> None:
        """Wait before another try; where the server asks for it, everybody waits.

        Raises:
            OutOfAnswers: longer than the user wants.
        """
        pace = self._document.pace
        if asked_for is None:
            batch.rest(back_off(pace, attempt, key))
        elif asked_for > pace.longest:
            raise OutOfAnswers(
                f"the server asks to wait {asked_for:.0f} s, longer than pace.longest = {pace.longest:g}"
            )
        else:
            self._pace.hold(asked_for)


def _beginning(reply: Reply) -> str:
    """Like ": {"error": ...}": how its body begins, in a line."""
    text = " ".join(reply.body[:1000].decode("utf-8", "replace").split())
    text = "".join(character for character in text if character.isprintable())
    return f": {text[:120]}" if text else ""
