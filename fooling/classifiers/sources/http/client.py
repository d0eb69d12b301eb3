"""Asks a remote classifier about images: about each once, within the budget, as fast as the server allows.

The order of steps keeps the promises: the ledger is looked up first; a query is counted, then sent; its answer is
kept, then used. Threads that ask about the same image share one request.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.sources.http import forms, secrets
from fooling.classifiers.sources.http.forms import Answer, MisreadError
from fooling.classifiers.sources.http.ledger import Ledger
from fooling.classifiers.sources.http.rate import RateLimiter, back_off
from fooling.classifiers.sources.http.spec import Document
from fooling.classifiers.sources.http.transport import Reply, Transport, TransportError
from fooling.errors import FoolingError, InvalidError, OutOfAnswers

_log = logging.getLogger("fooling.classifiers")
_RETRIED = (408, 425, 429, *range(500, 600))  # statuses after which another attempt may succeed
_REDIRECTS = 3  # in a row


class RefusedError(OutOfAnswers, InvalidError):
    """The server refuses, or says what the spec does not expect: another attempt would get the same."""

    exit_code = InvalidError.exit_code


class _RetryError(Exception):
    """An attempt that failed; `wait` is how many seconds the server asks to wait, None where it does not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Batch:
    """The images of one call: where one of them gets no answer, nothing more is sent for the others.

    Attributes:
        error: why the batch was cancelled; None where it was not.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._cancelled = threading.Event()

    def cancel(self, error: BaseException) -> None:
        self.error = self.error or error
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the batch is cancelled."""
        self._cancelled.wait(seconds)


class Client:
    """Asks one server, from several threads at once."""

    def __init__(self, name: str, document: Document, ledger: Ledger, logits: bool = False) -> None:
        """
        Args:
            name: what messages call the classifier.
            logits: whether the server answers with logits, not with scores.
        """
        self._name, self._document, self._ledger, self._logits = name, document, ledger, logits
        pace = document.pace
        self._transport = Transport(document.request, pace.timeout, pace.concurrency)
        self._limiter = RateLimiter(pace.per_second)
        self._pool = ThreadPoolExecutor(pace.concurrency, "http")
        self._secrets = secrets.names_in(document.request.model_dump())
        self._lock = threading.Lock()
        self._pending: dict[bytes, Future[Answer]] = {}
        self._was_understood = False  # until one answer was understood, one that is not is the spec's fault
        self._question = document.question

    def answers(self, images: NDArray[np.uint8]) -> list[Answer]:
        """What the server says of images, (n, H, W, C) uint8.

        Raises:
            OutOfAnswers: the budget is spent, the server fails for good or (RefusedError) refuses. Requests that were
                under way are finished and their answers kept.
            FoolingError: the ledger can't be used.
        """
        batch = _Batch()
        futures = [self._submit(image, batch) for image in images]
        known = sum(future.done() for future in futures)
        _log.debug("%s: %d of %d images were answered before", self._name, known, len(futures))
        wait(futures)
        return [future.result() for future in futures]

    def _submit(self, image: NDArray[np.uint8], batch: _Batch) -> Future[Answer]:
        """The answer, if it is known; else that to the one request which asks for it."""
        key = hashlib.sha256(self._question + str(image.shape).encode() + image.tobytes()).digest()
        with self._lock:
            if (pending := self._pending.get(key)) is not None:
                return pending
            if (text := self._ledger.answer(key)) is not None:
                self._was_understood = True
                future: Future[Answer] = Future()
                future.set_result(forms.restored(text))
                return future
            future = self._pending[key] = self._pool.submit(self._request, key, image, batch)
        future.add_done_callback(lambda _: self._discard(key))
        return future

    def _discard(self, key: bytes) -> None:
        with self._lock:
            self._pending.pop(key, None)

    def _request(self, key: bytes, image: NDArray[np.uint8], batch: _Batch) -> Answer:
        """Send requests about an image until there is an answer; keep it."""
        try:
            answer = self._with_retries(key, *forms.body_of(image, self._document.request), batch)
            self._ledger.keep(key, forms.stored(answer))
            return answer
        except BaseException as error:
            if error is not batch.error:
                batch.cancel(self._for_user(error))
            raise batch.error or error from None

    def _for_user(self, error: BaseException) -> BaseException:
        """An error as the user is to see it: with the classifier's name, without secrets."""
        if not isinstance(error, FoolingError):
            return error
        kind = RefusedError if isinstance(error, InvalidError) else type(error)
        return kind(self._redacted(str(error)))

    def _redacted(self, text: str) -> str:
        return f"{self._name}: {secrets.redacted(text, self._secrets)}"

    def _with_retries(self, key: bytes, body: bytes, content_type: str, batch: _Batch) -> Answer:
        attempts = self._document.pace.retries + 1
        for attempt in range(attempts):
            try:
                return self._attempt(body, content_type, batch)
            except _RetryError as error:
                reason, asked_for = str(error), error.wait
            _log.warning("%s (attempt %d of %d)", self._redacted(reason), attempt + 1, attempts)
            if attempt + 1 < attempts:
                self._wait(asked_for, attempt, key, batch)
        raise OutOfAnswers(f"no answer in {attempts} tries: {reason}")

    def _attempt(self, body: bytes, content_type: str, batch: _Batch) -> Answer:
        """One attempt: a request, and one more for each redirect."""
        url = secrets.filled(self._document.request.url)  # but never where a redirect leads
        for _ in range(1 + _REDIRECTS):
            self._limiter.acquire()
            if batch.error is not None:
                raise batch.error
            self._reserve()
            try:
                reply = self._transport.post(url, body, content_type)
            except TransportError as error:
                raise _RetryError(str(error)) from None
            target = self._transport.redirected(url, reply)
            if target is None:
                return self._parsed(reply)
            url = target
        raise InvalidError(f"expected an answer, found {_REDIRECTS + 1} redirects in a row")

    def _reserve(self) -> None:
        """Take a query out of the budget.

        Raises:
            OutOfAnswers: the budget is spent.
        """
        budget = self._document.budget
        if self._ledger.reserve(budget):
            return
        usage = self._ledger.usage
        sent = f"{usage.queries} queries" + (
            "" if budget.queries is None else f" of at most {budget.queries}"
        )
        cost = "" if budget.cost is None else f", {usage.cost:g} of at most {budget.cost:g}"
        raise OutOfAnswers(f"the budget is spent ({sent}{cost}); to go on, raise it under [budget]")

    def _parsed(self, reply: Reply) -> Answer:
        """The answer that a reply holds."""
        if reply.status in _RETRIED:
            raise _RetryError(f"the server answered {reply.status}{_beginning(reply)}", reply.retry_after)
        if not 200 <= reply.status < 300:
            raise InvalidError(f"the server refuses: {reply.status}{_beginning(reply)}")
        try:
            answer = forms.read(reply.body, self._document.response, self._logits)
        except MisreadError as error:
            if not self._was_understood:
                raise InvalidError(f"{error}, in the answer{_beginning(reply)}; see [response]") from None
            raise _RetryError(str(error)) from None
        except (ValueError, RecursionError):
            raise _RetryError(f"expected JSON, found{_beginning(reply) or ' nothing'}") from None
        self._was_understood = True
        return answer

    def _wait(self, asked_for: float | None, attempt: int, key: bytes, batch: _Batch) -> None:
        """Wait before another attempt; where the server asks for it, all threads wait.

        Raises:
            OutOfAnswers: the server asks to wait longer than the user wants.
        """
        pace = self._document.pace
        if asked_for is None:
            batch.wait(back_off(pace, attempt, key))
        elif asked_for > pace.longest:
            raise OutOfAnswers(
                f"the server asks to wait {asked_for:.0f} s, longer than pace.longest = {pace.longest:g}"
            )
        else:
            self._limiter.pause(asked_for)


def _beginning(reply: Reply) -> str:
    """Like ": {"error": ...}": how its body begins, in a line."""
    text = " ".join(reply.body[:1000].decode("utf-8", "replace").split())
    text = "".join(character for character in text if character.isprintable())
    return f": {text[:120]}" if text else ""
