"""Where the experiments are done: runs that several of them share, measurements that are made once, the data.

Everything lies in one folder, a `fooling.store.steps.StepStore`. What is there is not made again, and a run that was
interrupted is resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fooling.errors import FoolingError, Interrupted
from fooling.store.steps import StepStore, opened

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

T = TypeVar("T")
MANIFEST = "reproduction.json"
KIND = "fooling reproduction"
DATA = "FOOLING_ASSETS"  # the environment variable that names the folder of data


class MissingInput(FoolingError):
    """An experiment needs something that the user has to give."""


@dataclass(frozen=True)
class Scale:
    """How much is done.

    Attributes:
        quick: whether experiments choose their smaller sizes.
        seeds: runs of each kind.
        generations: of each run on digits.
    """

    quick: bool = False
    seeds: int = 5
    generations: int = 200

    @classmethod
    def of(cls, quick: bool, seeds: int | None = None) -> Scale:
        """The paper's scale, or the smallest that still says something."""
        small = cls(True, 3, 100)
        base = small if quick else cls()
        return cls(base.quick, seeds or base.seeds, base.generations)

    def pick(self, full: T, quick: T) -> T:
        """A size that depends on the scale."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Workspace:
    """A folder of runs and measurements.

    Attributes:
        store: the folder.
        scale: how much is done.
        data: a folder with `mnist/` (the four IDX files) and `cifar10/cifar10.npz`; None: the one that the environment
            variable FOOLING_ASSETS names, if any.
        model: the SPEC of an ImageNet classifier, for the experiments that need one.
        trust: whether models may bring code of their own.
        say: called with a line about what is being done.
    """

    store: StepStore
    scale: Scale
    data: Path | None = None
    model: str | None = None
    trust: bool = False
    say: Callable[[str], None] = lambda _: None

    @property
    def folder(self) -> Path:
        """The path of the folder."""
        return self.store.path

    @property
    def seeds(self) -> range:
        """The seeds of this scale."""
        return range(self.scale.seeds)

    def runs(self, config: str, seeds: Sequence[int] | None = None, **settings: Any) -> list[Snapshot]:
        """A completed run of each seed (default: the scale's); see `run`."""
        return [self.run(config, seed, **settings) for seed in (self.seeds if seeds is None else seeds)]

    def run(self, config: str, seed: int, *, name: str | None = None, **settings: Any) -> Snapshot:
        """A completed run: the one that is there, the rest of it, or a new one.

        Args:
            config: the name of a ready-made config.
            name: of the run directory; left out: made of the config, the model and the seed.
            settings: dotted settings; "__" stands for the dot. MAP-Elites on digits has the scale's generations
                unless they are given.

        Raises:
            Interrupted: the user interrupted it.
            FoolingError: it failed.
        """
        import fooling
        from fooling.store.reading import open_run

        flags = {key.replace("__", "."): value for key, value in settings.items()}
        path = self.folder / "runs" / (name or _name(config, seed, flags))
        flags |= {"seed": seed}
        if path.exists():
            view = open_run(path)
            if view.status != "completed":
                self.say(f"going on with {path.name}")
                view = fooling.resume(path, trust=self.trust)
        else:
            self.say(f"run {path.name}")
            view = fooling.run(config, out=path, flags=flags, trust=self.trust)
        if view.status != "completed":
            raise Interrupted
        return view

    def digits(
        self, encoding: str, model: str = "builtin:lenet", seeds: Sequence[int] | None = None
    ) -> list[Snapshot]:
        """MAP-Elites on digits at the paper's population and the scale's generations, a run of each seed.

        Args:
            encoding: "cppn" or "direct".
        """
        generations = self.scale.generations
        return self.runs(f"mnist-{encoding}", seeds, model=model, search__generations=generations)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returned, JSON-like: measured now, or kept from before."""

        def measured() -> T:
            self.say(f"measure {name}")
            return make()

        return self.store.once(f"measured/{name}", measured)

    def mnist(self) -> Path:
        """The folder of MNIST's four IDX files.

        Raises:
            MissingInput: there is none.
        """
        return self._found("mnist", "the four IDX files of MNIST")

    def cifar10(self) -> Path:
        """The file with CIFAR-10's images: `train_x`, `train_y`, `test_x`, `test_y`, `classes`.

        Raises:
            MissingInput: there is none.
        """
        return self._found(
            "cifar10/cifar10.npz", "CIFAR-10's images as train_x, train_y, test_x, test_y, classes"
        )

    def imagenet(self) -> str:
        """The SPEC of the ImageNet classifier.

        Raises:
            MissingInput: none was given.
        """
        if self.model is None:
            raise MissingInput("expected an ImageNet classifier: give one with --model SPEC")
        return self.model

    def _found(self, part: str, what: str) -> Path:
        folder = self.data or (Path(named) if (named := os.environ.get(DATA)) else None)
        if folder is None:
            raise MissingInput(
                f"expected training images: give a folder that has {part} ({what}) with --data DIR"
            )
        if not (folder / part).exists():
            raise MissingInput(
                f"{folder / part} is not there: expected {what}; give another folder with --data DIR"
            )
        return folder / part


@contextmanager
def open_workspace(folder: Path, scale: Scale, **options: Any) -> Iterator[Workspace]:
    """A workspace in a folder, new or begun at the same scale, for one process at a time.

    Args:
        options: the further attributes of the workspace.

    Raises:
        InvalidError: the folder was begun at another scale.
        FoolingError: it holds something else, can't be written, or is being written.
    """
    with opened(folder, MANIFEST, KIND, {"scale": asdict(scale)}) as store:
        yield Workspace(store, scale, **options)


def _name(config: str, seed: int, flags: dict[str, Any]) -> str:
    """A directory's name: readable, and another for other settings."""
    model = flags.get("model", "builtin:lenet")
    rest = {key: value for key, value in flags.items() if key not in ("model", "search.generations")}
    parts = [config, model.rpartition("/")[2].rpartition(":")[2].removesuffix(".toml")]
    if "search.generations" in flags:
        parts.append(f"g{flags['search.generations']}")
    if rest or not model.startswith("builtin:"):
        text = json.dumps([model, rest], sort_keys=True, default=str)
        parts.append(hashlib.sha256(text.encode()).hexdigest()[:8])
    return "-".join([*parts, f"s{seed}"])
