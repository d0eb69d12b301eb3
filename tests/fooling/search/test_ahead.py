"""Generations begun ahead: they change no result, whatever the guess was worth, and leave nothing behind."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fooling import encodings
from fooling.archive import Archive
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.runs.computing import Computing
from fooling.search import ahead
from fooling.search.map_elites import MapElites
from fooling.search.toolbox import build
from tests.dots import CLASSES, SIZE, Dots
from workers.host import Host
from workers.local import LocalExecutor
from workers.protocol import Interrupted

GENERATIONS = 12
ENCODINGS: dict[str, Any] = {
    "cppn": CppnSettings(size=SIZE, colour="grey"),
    "direct": DirectSettings(),
    "direct, crossover": DirectSettings(crossover="sbx"),
}


class Always(ahead.Forecast):
    """A guess for each generation, good or bad: these archives change in most of them."""

    is_calm = True  # type: ignore[assignment]


class Run:
    """Some generations of a search, computed in this process."""

    def __init__(
        self, name: str, seed: int = 1, chunk: int = 7, evaluators: int = 3, looks_ahead: bool = True
    ) -> None:
        encoding = encodings.create(ENCODINGS[name], SIZE, "grey")
        self.toolbox = build(encoding, Dots())
        self.archive = Archive(CLASSES, encoding.image_shape, encoding.empty())
        plan = SimpleNamespace(initial=10, population=21, generations=GENERATIONS)
        self.search = MapElites(plan, seed, chunk, self.toolbox, self.archive)
        self.search._forecast = Always()
        self.executor = LocalExecutor(Host(self.toolbox), evaluators, looks_ahead=looks_ahead)
        self.stopping = threading.Event()
        self.computing = Computing(self.executor, self.stopping)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.close()

    def to_the_end(self) -> tuple[str, list[Any]]:
        """The archive's digest; and of each generation what it changed."""
        outcomes = [self.search.step(number, self.computing) for number in range(GENERATIONS + 1)]
        found = [
            (one.evaluations, one.replacements, one.goal_switches, one.lineage.tolist()) for one in outcomes
        ]
        return self.archive.digest(), found


@pytest.mark.parametrize("name", ENCODINGS)
@given(seed=st.integers(0, 2**64 - 1), chunk=st.integers(1, 25), evaluators=st.integers(2, 4))
@settings(max_examples=25)
def test_a_guess_changes_no_result(name: str, seed: int, chunk: int, evaluators: int) -> None:
    """A failure costs equal archives: what a run finds would depend on how many threads there were, and who was
    faster. The last generation is not guessed beyond."""
    with Run(name, seed, chunk, evaluators, looks_ahead=False) as one_by_one:
        expected = one_by_one.to_the_end()
    with Run(name, seed, chunk, evaluators) as guessing:
        assert guessing.to_the_end() == expected
        assert guessing.search.ask(GENERATIONS + 1).number == GENERATIONS + 1
        assert guessing.executor.advance() is False, "nothing is left to compute"


def test_the_guesses_of_these_tests_are_wrong_in_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would prove nothing: children of replaced parents, children of other parents, and
    chunks whose best child does not count."""
    seen = {"replaced": 0, "moved": 0, "spoilt": 0}
    correct, begin = ahead.UnderWay.correct, ahead.UnderWay._begin

    def correct_and_look(self: Any, generation: Any, archive: Archive) -> None:
        seen["moved"] += int((generation.rows != self.generation.rows).any())
        seen["replaced"] += int((archive.ids != self._individuals).any())
        correct(self, generation, archive)

    def begin_and_look(self: Any, chunks: list[Any]) -> Any:
        seen["spoilt"] += hasattr(self, "_begun") and any(
            chunk is other for chunk in chunks for other in self.generation.chunks
        )
        return begin(self, chunks)

    monkeypatch.setattr(ahead.UnderWay, "correct", correct_and_look)
    monkeypatch.setattr(ahead.UnderWay, "_begin", begin_and_look)
    for seed in range(20):
        with Run("direct", seed) as run:
            run.to_the_end()
    assert min(seen.values()) > 5, seen


def test_what_is_begun_ahead_is_computed_while_a_slow_chunk_is_awaited() -> None:
    """A failure costs what it is for: evaluators that stand still until the slowest has ended."""
    with Run("direct", evaluators=2) as run:
        run.search.step(0, run.computing)
        next_was_begun = threading.Event()
        breed = run.toolbox.mutate

        def mutate(children: Any, keys: Any) -> Any:
            if keys.generation == 2:
                next_was_begun.set()
            elif keys.children[-1] == 20:  # the last chunk of generation 1 lasts until the next one was begun
                assert next_was_begun.wait(200)
            return breed(children, keys)

        run.toolbox.register("mutate", mutate)
        run.search.step(1, run.computing)
        run.search.give_up()


def test_generations_of_one_chunk_are_computed_two_at_a_time() -> None:
    """A failure costs half the speed of small generations, of which an evaluator has nothing."""
    with Run("direct", chunk=100, evaluators=2) as run:
        both = threading.Barrier(2, timeout=200)
        breed = run.toolbox.mutate

        def mutate(children: Any, keys: Any) -> Any:
            if keys.generation in (1, 2):
                both.wait()
            return breed(children, keys)

        run.toolbox.register("mutate", mutate)
        run.search.step(0, run.computing)
        run.search.step(1, run.computing)  # ends when generation 2 was begun
        run.search.give_up()


def test_who_gives_up_leaves_nothing_behind() -> None:
    """A failure costs Ctrl-C: threads that compute what nobody wants, or a step that is taken for a later one."""
    with Run("cppn", chunk=1) as whole:
        expected = whole.to_the_end()
    with Run("cppn", chunk=1) as run:
        began: list[int] = []
        breed = run.toolbox.mutate

        def mutate(children: Any, keys: Any) -> Any:
            began.append(keys.generation)
            time.sleep(0.001)
            return breed(children, keys)

        run.toolbox.register("mutate", mutate)
        for number in range(4):
            run.search.step(number, run.computing)
        before = run.archive.digest()
        run.stopping.set()
        with pytest.raises(Interrupted):
            run.search.step(4, run.computing)
        count = len(began)
        time.sleep(0.05)
        assert len(began) == count
        assert run.archive.digest() == before
        run.stopping.clear()
        for number in range(4, GENERATIONS + 1):
            run.search.step(number, run.computing)
        assert run.archive.digest() == expected[0]


def test_what_breaks_in_a_guess_is_told_when_its_turn_has_come() -> None:
    """A failure costs a generation that was computed well, or a failure that nobody hears of."""
    with Run("direct") as run:
        breed = run.toolbox.mutate

        def mutate(children: Any, keys: Any) -> Any:
            if keys.generation == 3:
                raise RuntimeError("the operator broke")
            return breed(children, keys)

        run.toolbox.register("mutate", mutate)
        for number in range(3):
            run.search.step(number, run.computing)
        for _ in range(2):  # and it is computed anew when it is tried again
            with pytest.raises(RuntimeError, match="the operator broke"):
                run.search.step(3, run.computing)


def test_a_forecast_follows_what_it_sees() -> None:
    """A failure costs speed: guesses while everything changes, or none when nothing does any more."""
    forecast = ahead.Forecast()
    calm = []
    for changed in [True] * 50 + [False] * 50 + [True] * 10:
        forecast.learn(changed)
        calm.append(forecast.is_calm)
    assert not any(calm[:50])
    assert all(calm[75:100])
    assert not calm[-1]
