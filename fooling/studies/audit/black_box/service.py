"""A service, played on both sides: a classifier that answers little and fails now and then, and a client that asks it
within a budget, remembers answers, and makes fitness of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Numerics
from fooling.errors import OutOfAnswers
from fooling.studies.audit.black_box import watch
from fooling.studies.audit.black_box.book import Book, Entry
from fooling.studies.audit.black_box.fitness import fitness, votes
from fooling.studies.audit.black_box.restriction import Restriction, Said
from fooling.studies.audit.transforms.filters import noisy_copies

Images = NDArray[np.uint8]
ATTEMPTS = 8  # until a query is given up
# Where a label is all that is said, an image is asked about in copies with noise of these standard deviations, in grey
# levels. More and more of it tells a doubtful image from a certain one, where equal noise soon leaves all votes equal.
NOISE = tuple(float(sigma) for sigma in np.linspace(0, 128, 10).round(1))
_UNIT = 2.0**64


@dataclass(frozen=True)
class Service:
    """A classifier behind a counter.

    Attributes:
        confidences: (n, K) float32, of (n, H, W, C) uint8.
        fingerprint: of the classifier.
        classes: K.
        normalised: whether the confidences of an image sum to 1.
        restriction: what it says.
        failures: the share of requests that it fails to answer; whether it does follows from image and attempt.
    """

    confidences: Callable[[Images], NDArray[np.float32]]
    fingerprint: str
    classes: int
    normalised: bool
    restriction: Restriction
    failures: float = 0.0

    def answer(self, images: Images) -> tuple[Said, NDArray[np.float64], NDArray[np.uint64]]:
        """What it says of images; and what it sees of them: margins, and fingerprints."""
        confidences = self.confidences(images)
        return (
            self.restriction.said(confidences),
            watch.margins(confidences),
            watch.fingerprints(images),
        )

    def fails(self, key: bytes, attempt: int) -> bool:
        """Whether a request gets no answer."""
        drawn = hashlib.blake2b(key + attempt.to_bytes(4, "little"), digest_size=8).digest()
        return int.from_bytes(drawn, "little") / _UNIT < self.failures


class Client:
    """Asks a service, from several threads at once: about each image once, and never more than the budget has.

    Where only labels are said, each image is asked about in copies with more and more noise, and the share of them that is
    called a class stands for its score (Ilyas et al. 2018 ask likewise for their label-only attack).

    Attributes:
        identity: see `fooling.classifiers.wrapped.Answering`.
        copies: queries of an image.
    """

    def __init__(self, service: Service, book: Book, budget: int) -> None:
        self._service, self._book, self._budget = service, book, budget
        self._lock = threading.Lock()
        self.copies = len(NOISE) if service.restriction.scores == "label" else 1
        self.identity = f"{service.restriction} {NOISE[: self.copies]} {service.fingerprint}"

    def __call__(self, pixels: Images) -> NDArray[np.float32]:
        """(n, K) float32: the fitness of images.

        Raises:
            OutOfAnswers: the budget has no room for all of them, or the service fails for good.
        """
        service = self._service
        if self.copies == 1:
            said = self.ask(pixels)
            return fitness(said, service.restriction, service.classes, service.normalised)
        copies = noisy_copies(pixels, NOISE).reshape(-1, *pixels.shape[1:])
        return votes(self.ask(copies), self.copies, service.classes)

    def under(self, numerics: Numerics) -> Client:
        """The same: what a service computes with is its own matter."""
        return self

    def ask(self, images: Images) -> Said:
        """What the service says of images.

        Raises:
            OutOfAnswers: as `__call__`; nothing is sent then that the budget has no room for.
        """
        keys = [key_of(image) for image in images]
        with self._lock:
            known = self._book.answered(list(dict.fromkeys(keys)))
            rows = list({key: row for row, key in enumerate(keys) if key not in known}.values())
            if rows:
                known |= self._sent([keys[row] for row in rows], images[rows])
        return Said(
            np.stack([known[key].classes for key in keys]), np.stack([known[key].scores for key in keys])
        )

    def _sent(self, keys: Sequence[bytes], images: Images) -> dict[bytes, Entry]:
        """Answers to new queries: written down, sent, and kept."""
        if not self._book.reserve(keys, self._budget):
            raise OutOfAnswers(
                f"the budget of {self._budget} queries has no room for {len(keys)} more "
                f"({self._book.count.billed} are spent)"
            )
        attempts = {key: self._attempts(key) for key in keys}
        there = [row for row, key in enumerate(keys) if attempts[key] is not None]
        entries = {}
        if there:
            said, margins, prints = self._service.answer(images[there])
            for place, row in enumerate(there):
                seen = prints[place], float(margins[place]), attempts[keys[row]] or 0
                entries[keys[row]] = Entry(said.classes[place], said.scores[place], *seen)
            self._book.keep(entries)
        if len(there) < len(keys):
            self._book.release(keys)
            raise OutOfAnswers(f"no answer in {ATTEMPTS} attempts")
        return entries

    def _attempts(self, key: bytes) -> int | None:
        """After how many attempts there is an answer; None: not at all."""
        tries = range(1, ATTEMPTS + 1)
        return next((attempt for attempt in tries if not self._service.fails(key, attempt)), None)


def key_of(image: Images) -> bytes:
    """SHA-256 of what is uploaded: the size and the 8-bit values, which a PNG holds exactly."""
    return hashlib.sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
