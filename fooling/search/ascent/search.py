"""Gradient ascent as a search: every class from every start, a round of steps at a time.

A round is a generation of the run: round 0 judges the starts and takes a step from them, each later one
judges `steps_per_task` images of every climb. Each climb is for its own class only: the archive's elite of a
class is the best image of that class's climbs, and no other image competes for it. It is a baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling.archive import Archive, Candidates, lineage
from fooling.archive.nan_images import NanImages
from fooling.encodings.direct import DirectPopulation
from fooling.search.ascent.checking import check_arrays
from fooling.search.ascent.fitting import fit
from fooling.search.ascent.records import LEVELS, Records
from fooling.search.ascent.starts import read
from fooling.search.ascent.task import Ascent, Climbed, Climbs
from fooling.search.protocol import Compute, Default, Outcome
from fooling.search.settings import ResolvedGradientAscent

_FORWARD, _BACKWARD = 1, 2  # what a pass counts as


class GradientAscent(Default):
    """The search named `gradient-ascent`.

    Attributes:
        classes: (n,) int64, the class of each climb: the climbs of a class are consecutive.
        records: of every climb so far.
        escaped: (n,) int32, steps at which a climb's objective had no gradient and log p was climbed.
        stuck: (n,) uint8, 1 where the last round's steps moved no pixel by half a grey level, and the climb's
            best is below the last milestone.
    """

    resumable = True

    def __init__(self, settings: ResolvedGradientAscent, seed: int, chunk: int, archive: Archive) -> None:
        self._settings, self._seed, self._chunk, self._archive = settings, seed, chunk, archive
        height, width, channels = archive.pixels.shape[1:]
        self._shape = (height, width, channels)
        self.classes = np.repeat(np.array(settings.classes, np.int64), settings.starts)
        count = len(self.classes)
        self.records = Records.empty(count, self._shape)
        self.escaped, self.stuck = np.zeros(count, np.int32), np.zeros(count, np.uint8)
        self._images: NDArray[np.float32] | None = None
        self._moments: NDArray[np.float32] | None = None
        self._passes = 0

    @classmethod
    def create(
        cls, search: Any, encoding: Any, seed: int, chunk: int, toolbox: Any, archive: Archive
    ) -> GradientAscent:
        """See `Search.create`: it has no operators."""
        return cls(search, seed, chunk, archive)

    fit = staticmethod(fit)

    @staticmethod
    def check(
        search: Any, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
    ) -> None:
        """See `Search.check`."""
        height, width, channels = archive.pixels.shape[1:]
        check_arrays(search, arrays, (height, width, channels))

    @property
    def generations(self) -> int:
        """Rounds after the first."""
        return self._settings.generations

    def arrays(self) -> dict[str, NDArray]:
        """The climbs as they stand. `passes` is (1,) int64, `images` and `moments` are as in `Climbs`, the rest
        as the attributes here and of `Records`."""
        arrays: dict[str, NDArray] = {
            "classes": self.classes,
            "escaped": self.escaped,
            "stuck": self.stuck,
            "passes": np.array([self._passes], np.int64),
            **self.records.arrays(),
        }
        under_way = {"images": self._images, "moments": self._moments}
        return arrays | {name: array for name, array in under_way.items() if array is not None}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.records = Records.from_arrays(arrays)
        self.escaped, self.stuck = arrays["escaped"], arrays["stuck"]
        self._images, self._moments = arrays.get("images"), arrays.get("moments")
        self._passes = int(arrays["passes"][0])

    def step(self, number: int, compute: Compute) -> Outcome:
        """Round `number`, whole."""
        shared = self._round(number)
        starts = range(0, len(self.classes), self._chunk)
        rows = [slice(start, start + self._chunk) for start in starts]
        results = compute("climb", shared, [self._climbs(number, part) for part in rows])
        for part, result in zip(rows, results, strict=True):
            self.records.extend(part, result.records)
            self.escaped[part] += result.escaped
        self._keep(shared, results)
        judged = (shared.last - shared.first + 1) * len(self.classes)
        confirmed = sum(result.confirmed for result in results)
        self._passes += _FORWARD * (judged + confirmed) + _BACKWARD * shared.steps * len(self.classes)
        return self._offer(number, judged, results)

    def _round(self, number: int) -> Ascent:
        settings, length = self._settings, self._settings.steps_per_task
        first, last = (1 + (number - 1) * length, number * length) if number else (0, 0)
        given = None
        if self._images is None and settings.images is not None:
            given = read(Path(settings.images), self._shape)
        return Ascent(settings, first, min(last, settings.steps), self._shape, given)

    def _climbs(self, number: int, rows: slice) -> Climbs:
        return Climbs(
            Keys.of_generation(self._seed, number, len(self.classes))[rows],
            self.classes[rows],
            self.records.best_confidence[rows],
            None if self._images is None else self._images[rows],
            None if self._moments is None else self._moments[:, rows],
        )

    def _keep(self, shared: Ascent, results: Sequence[Climbed]) -> None:
        """The images to go on from; who is stuck, unless the round had no step to tell it by."""
        self._images = np.concatenate([result.images for result in results])
        moments = [result.moments for result in results if result.moments is not None]
        self._moments = np.concatenate(moments, axis=1) if moments else None
        if shared.steps:
            still = np.concatenate([result.still for result in results])
            self.stuck = still * (self.records.best_confidence < np.float32(LEVELS[-1])).astype(np.uint8)

    def _offer(self, number: int, judged: int, results: Sequence[Climbed]) -> Outcome:
        """Let the round's best image of each class compete for that class."""
        confidence = np.concatenate([result.records.best_confidence for result in results])
        pixels = [image for result in results for image in result.records.best_pixels]
        archive = self._archive
        order = np.lexsort((-confidence, self.classes))  # stable: of equals, the lower climb
        leaders = order[np.unique(self.classes[order], return_index=True)[1]]
        leaders = leaders[confidence[leaders] > archive.thresholds[self.classes[leaders]]]
        changed = np.zeros(0, np.int64)
        if len(leaders):
            ids = np.zeros((len(leaders), 3), np.int32)
            ids[:, 0], ids[:, 2] = number, leaders
            images = np.stack([pixels[leader] for leader in leaders])
            changed = archive.offer(
                Candidates(
                    ids,
                    images,
                    DirectPopulation(
                        np.divide(images, 255, dtype=np.float32)
                    ),  # rendered again: these pixels
                    np.arange(len(leaders), dtype=np.int32),
                    self.classes[leaders].astype(np.int32),
                    confidence[leaders],
                    np.concatenate([result.top1 for result in results])[leaders],
                    np.concatenate([result.top1_confidence for result in results])[leaders],
                )
            )
        statistics = {
            **self.records.statistics(),
            "climbs_stuck": int(self.stuck.sum()),
            "escaped_steps": int(self.escaped.sum()),
            "passes": self._passes,
        }
        entered = lineage.records(archive.elite_ids[changed])
        nan = NanImages.joined(result.nan for result in results)
        return Outcome(judged, len(changed), 0, entered, statistics, nan)
