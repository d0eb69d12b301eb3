"""The mutation of CPPNs: what each edit does, how often, and what must hold whatever happens."""

from __future__ import annotations

import graphlib
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cppn import activations
from cppn.keys import Keys
from cppn.population import INPUTS, Population
from cppn.variation import Rates, check, initialise, mutate

NEVER = dict.fromkeys(
    ("weight_rate", "activation_rate", "add_edge", "delete_edge", "add_node", "delete_node"), 0.0
)

# Input 0 -> 5 -> 6 -> output 4, input 1 -> 4, input 2 -> 7 (a dead end), and 5 -> 4.
# The functions of the innovation-engine experiment "no sine" (Nguyen 2015b).
NO_SINE = ("tanh", "sigmoid", "gaussian", "linear")
DIAMOND = Population(
    1,
    np.array([0, 4]),
    np.array([0, 6]),
    np.array([0, 1, 2, 3], np.uint8),
    np.array([5, 0, 6, 1, 2, 5], np.int32),
    np.array([6, 5, 4, 4, 7, 4], np.int32),
    np.array([1, 2, 3, 4, 5, 6], np.float32),
)


def children_of(parent: Population, count: int = 4000, seed: int = 1, **changed: float) -> Population:
    """Many children of one parent, under rates that are 0 but for those given."""
    rates = Rates(**{**NEVER, **changed})  # type: ignore[arg-type]
    return mutate(parent.take(np.zeros(count, np.int64)), Keys.of_generation(seed, 1, count), rates)


def edges_of(population: Population, row: int) -> list[tuple[int, int, float]]:
    """(source, target, weight) of each edge."""
    one = population.take([row])
    return list(zip(one.sources.tolist(), one.targets.tolist(), one.weights.tolist(), strict=True))


def those_that_changed(children: Population) -> Population:
    """The children of DIAMOND that differ from it. What an edit does must not depend on the draw that let it
    happen, so uniformity is tested at the paper's rates, not at 1."""
    parent = DIAMOND.canonical_bytes(0)
    return children.take([row for row, child in enumerate(bytes_of(children)) if child != parent])


def bytes_of(population: Population) -> list[bytes]:
    return [population.canonical_bytes(row) for row in range(len(population))]


def evolved(seed: int, generations: int, outputs: int = 1, count: int = 6, **rates: float) -> Population:
    """A population after some generations of mutation only."""
    settled = Rates(**rates)  # type: ignore[arg-type]
    population = initialise(Keys.of_generation(seed, 0, count), outputs, settled)
    for generation in range(1, generations + 1):
        population = mutate(population, Keys.of_generation(seed, generation, count), settled)
    return population


# What must hold whatever happens


@given(
    seed=st.integers(0, 2**64 - 1),
    generations=st.integers(0, 25),
    outputs=st.sampled_from([1, 3]),
    odds=st.tuples(*[st.floats(0, 1)] * 6),
)
@settings(max_examples=60)
def test_genotypes_stay_acyclic_and_in_bounds(
    seed: int, generations: int, outputs: int, odds: tuple[Any, ...]
) -> None:
    """A cycle has no image, and an index out of range is memory that is not ours."""
    population = evolved(seed, generations, outputs, **dict(zip(NEVER, odds, strict=True)))
    assert check(population) is population
    for row in range(len(population)):
        graph: dict[int, set[int]] = {}
        for source, target, weight in edges_of(population, row):
            graph.setdefault(target, set()).add(source)
            assert -10 <= weight <= 10
            assert target >= INPUTS
            assert not INPUTS <= source < INPUTS + outputs
            assert max(source, target) < INPUTS + population.nodes[row]
        list(graphlib.TopologicalSorter(graph).static_order())  # raises where there is a cycle


@given(cuts=st.sets(st.integers(0, 30)), seed=st.integers(0, 2**32), stream=st.integers(0, 2**24 - 1))
def test_children_do_not_depend_on_chunks(cuts: set[int], seed: int, stream: int) -> None:
    """Else a run on two workers would not be the run on one."""
    parents = evolved(seed, 8, 3, 30)
    keys, rates = Keys.of_generation(seed, 9, 30, stream), Rates()
    whole = bytes_of(mutate(parents, keys, rates)) + bytes_of(initialise(keys, 3, rates))
    made: list[bytes] = []
    born: list[bytes] = []
    for a, b in itertools.pairwise([0, *sorted(cuts), 30]):
        made += bytes_of(mutate(parents.take(np.arange(a, b)), keys[a:b], rates))
        born += bytes_of(initialise(keys[a:b], 3, rates))
    assert made + born == whole


def test_the_parents_stay_as_they_were() -> None:
    """They are the archive's: a changed parent is an elite that no longer gives its image."""
    parents = evolved(4, 10)
    before = bytes_of(parents)
    for array in parents.arrays().values():
        array.flags.writeable = False  # as arrays come through Ray
    mutate(parents, Keys.of_generation(4, 11, len(parents)), Rates())
    assert bytes_of(parents) == before


def test_without_any_odds_a_child_is_its_parent() -> None:
    """An edit that happens unasked is a rate that means nothing."""
    parents = evolved(6, 20, 3)
    rates = Rates(**NEVER)  # type: ignore[arg-type]
    assert bytes_of(mutate(parents, Keys.of_generation(6, 21, len(parents)), rates)) == bytes_of(parents)


def test_one_key_per_genotype() -> None:
    """Fewer keys than genotypes would silently lose children."""
    with pytest.raises(ValueError, match="key per genotype: 1, found 2"):
        mutate(DIAMOND, Keys.of_generation(0, 0, 2), Rates())


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"add_edge": 1.5}, "add_edge"),
        ({"weight_rate": float("nan")}, "weight_rate"),
        ({"weight_eta": -1.0}, "weight_eta"),
        ({"weight_range": 0.0}, "weight_range"),
        ({"activations": ("sine", "cosine")}, "cosine"),
        ({"activations": ()}, "activations"),
    ],
)
def test_senseless_rates_are_refused(wrong: dict, named: str) -> None:
    """They would run, and quietly do something else."""
    with pytest.raises(ValueError, match=named):
        Rates(**wrong)


# The first population


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_first_genotypes_connect_every_input_to_every_output(outputs: int) -> None:
    """The paper's initial topology: weights U[-10, 10], functions uniform over the set, nothing hidden."""
    population = initialise(Keys.of_generation(2, 0, 2000), outputs, Rates())
    check(population)
    pairs = [(source, INPUTS + output) for output in range(outputs) for source in range(INPUTS)]
    for row in (0, 777, 1999):
        assert [edge[:2] for edge in edges_of(population, row)] == pairs
    assert stats.kstest(population.weights / 20 + 0.5, "uniform").pvalue > 1e-3
    counts = np.bincount(population.activations, minlength=4)
    assert len(counts) == 4
    assert stats.chisquare(counts).pvalue > 1e-3


def test_functions_come_from_the_chosen_set() -> None:
    """Another set is another experiment (`no sine`)."""
    rates = Rates(activations=NO_SINE, activation_rate=1.0)
    population = initialise(Keys.of_generation(2, 0, 200), 3, rates)
    mutated = mutate(population, Keys.of_generation(2, 1, 200), rates)
    chosen = set(activations.numbers(NO_SINE).tolist())
    assert set(population.activations.tolist()) == set(mutated.activations.tolist()) == chosen


# Each edit by itself


def test_weights_mutate_by_themselves() -> None:
    """w + 20 delta, clipped: the form of the gene in [0, 1] that stands for [-10, 10]."""
    children = children_of(DIAMOND, weight_rate=0.1)
    assert (children.sources.reshape(-1, 6) == DIAMOND.sources).all()
    moves = children.weights.reshape(-1, 6) - DIAMOND.weights
    changed = moves != 0
    assert stats.binomtest(int(changed.sum()), changed.size, 0.1).pvalue > 1e-3
    assert abs(np.abs(moves[:, 0][changed[:, 0]]).mean() - 20 / 17) < 0.2
    assert np.abs(children.weights).max() <= 10


def test_activations_are_redrawn_uniformly_the_old_one_too() -> None:
    """With 4 functions a redraw shows in 3 of 4 cases."""
    children = children_of(DIAMOND, activation_rate=0.1)
    drawn = children.activations.reshape(-1, 4)
    changed = drawn != DIAMOND.activations
    assert stats.binomtest(int(changed.sum()), changed.size, 0.075).pvalue > 1e-3
    for node in range(4):
        others = np.bincount(drawn[changed[:, node], node], minlength=4)
        assert stats.chisquare(np.delete(others, node)).pvalue > 1e-3
    after = children_of(DIAMOND, activation_rate=1.0).activations.reshape(-1, 4)
    assert all(stats.chisquare(np.bincount(column, minlength=4)).pvalue > 1e-3 for column in after.T)


def test_an_added_edge_comes_from_any_non_output_and_goes_to_any_non_ancestor() -> None:
    """Each source equally likely, each target equally likely given the source: never an ancestor of it, an
    input or the source itself. Duplicates are allowed."""
    children = those_that_changed(children_of(DIAMOND, 16_000, add_edge=0.5))
    assert (children.edges == 7).all()
    assert (children.sources.reshape(-1, 7)[:, :6] == DIAMOND.sources).all()
    added = Counter(zip(children.sources[6::7].tolist(), children.targets[6::7].tolist(), strict=True))
    targets = {0: [4, 5, 6, 7], 1: [4, 5, 6, 7], 2: [4, 5, 6, 7], 3: [4, 5, 6, 7]}
    targets |= {5: [4, 6, 7], 6: [4, 7], 7: [4, 5, 6]}  # 5 and 6 depend on 0; 6 on 5; 7 on 2
    expected = {
        (source, target): len(children) / 7 / len(found)
        for source, found in targets.items()
        for target in found
    }
    assert set(added) == set(expected)
    assert stats.chisquare([added[edge] for edge in expected], list(expected.values())).pvalue > 1e-3
    assert stats.kstest(children.weights[6::7] / 20 + 0.5, "uniform").pvalue > 1e-3


def test_any_one_edge_is_deleted_and_nothing_repaired() -> None:
    """The others keep their order, and a node may lose its last edge."""
    children = those_that_changed(children_of(DIAMOND, 12_000, delete_edge=0.3))
    assert (children.edges == 5).all()
    assert (children.nodes == 4).all()
    all_edges = edges_of(DIAMOND, 0)
    gone: Counter[int] = Counter()
    for row in range(len(children)):
        kept = edges_of(children, row)
        [missing] = [i for i in range(6) if all_edges[:i] + all_edges[i + 1 :] == kept]
        gone[missing] += 1
    assert stats.chisquare([gone[i] for i in range(6)]).pvalue > 1e-3


def test_an_added_node_splits_any_edge_and_both_halves_get_its_weight() -> None:
    """The release's way (not 1 and the old weight, as in NEAT): it changes what the child draws."""
    children = those_that_changed(children_of(DIAMOND, 8000, add_node=0.5))
    assert (children.edges == 7).all()
    assert (children.nodes == 5).all()
    split: Counter[int] = Counter()
    for row in range(len(children)):
        *kept, first, second = edges_of(children, row)
        [edge] = [edge for edge in edges_of(DIAMOND, 0) if edge not in kept]
        assert first == (edge[0], 8, edge[2])
        assert second == (8, edge[1], edge[2])
        split[edge] += 1
    assert stats.chisquare(list(split.values())).pvalue > 1e-3
    assert len(split) == 6
    functions = np.bincount(children.activations[4::5], minlength=4)
    assert stats.chisquare(functions).pvalue > 1e-3


def test_any_hidden_node_is_deleted_with_its_edges_and_the_rest_renumbered() -> None:
    """A stale number would be an edge to another node: another image."""
    children = those_that_changed(children_of(DIAMOND, 20_000, delete_node=0.2))
    expected = {
        5: [(5, 4, 3.0), (1, 4, 4.0), (2, 6, 5.0)],
        6: [(0, 5, 2.0), (1, 4, 4.0), (2, 6, 5.0), (5, 4, 6.0)],
        7: [(5, 6, 1.0), (0, 5, 2.0), (6, 4, 3.0), (1, 4, 4.0), (5, 4, 6.0)],
    }
    functions = {5: [0, 2, 3], 6: [0, 1, 3], 7: [0, 1, 2]}
    gone: Counter[int] = Counter()
    for row in range(len(children)):
        [node] = [node for node, edges in expected.items() if edges == edges_of(children, row)]
        assert children.take([row]).activations.tolist() == functions[node]
        gone[node] += 1
    assert stats.chisquare([gone[node] for node in expected]).pvalue > 1e-3


def test_nothing_to_edit_is_no_edit() -> None:
    """An empty genotype survives every deletion, and can still gain an edge."""
    alone = Population(
        1,
        np.array([0, 1]),
        np.array([0, 0]),
        np.array([2], np.uint8),
        np.zeros(0, np.int32),
        np.zeros(0, np.int32),
        np.zeros(0, np.float32),
    )
    children = children_of(alone, 50, delete_edge=1.0, add_node=1.0, delete_node=1.0, weight_rate=1.0)
    assert bytes_of(children) == bytes_of(alone) * 50
    grown = children_of(alone, 50, add_edge=1.0)
    assert (grown.edges == 1).all()
    assert (grown.targets == INPUTS).all()


@pytest.mark.parametrize(
    ("name", "expected"), [("add_edge", 0.5), ("delete_edge", 0.3), ("add_node", 0.5), ("delete_node", 0.2)]
)
def test_each_edit_happens_with_the_papers_probability(name: str, expected: float) -> None:
    """The rates are the experiment."""
    children = children_of(DIAMOND, 4000, seed=8, **{name: getattr(Rates(), name)})
    changed = sum(child != DIAMOND.canonical_bytes(0) for child in bytes_of(children))
    assert stats.binomtest(changed, 4000, expected).pvalue > 1e-3


PAPER = {name: getattr(Rates(), name) for name in NEVER}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(NEVER, 2)))
def test_edits_happen_independently(one: str, other: str) -> None:
    """Two edits that share a draw would come together, or never. (A child's draws for one edit do not move
    when another's rate is 0, so each can be watched by itself.)"""
    changed = [
        np.array([child != DIAMOND.canonical_bytes(0) for child in bytes_of(children)])
        for children in (children_of(DIAMOND, 6000, **{name: PAPER[name]}) for name in (one, other))
    ]
    table = [[int((changed[0] == a).astype(int) @ (changed[1] == b)) for b in (0, 1)] for a in (0, 1)]
    assert min(map(min, table)) > 0
    assert stats.fisher_exact(table).pvalue > 1e-3


def test_edits_come_in_the_released_order() -> None:
    """Add an edge, delete one, add a node, delete one: an edge that was just added can go again, and so can
    a node that was just added, with what it split."""
    same = sum(
        child == DIAMOND.canonical_bytes(0)
        for child in bytes_of(children_of(DIAMOND, 6000, add_edge=1.0, delete_edge=1.0))
    )
    assert stats.binomtest(same, 6000, 1 / 7).pvalue > 1e-3
    split = children_of(DIAMOND, 6000, add_node=1.0, delete_node=1.0)
    gone_again = int((split.activations.reshape(-1, 4) == DIAMOND.activations).all(axis=1).sum())
    by_chance = 6000 / 4 / 4  # the last of the old ones went, and the new one got its function
    assert stats.binomtest(gone_again, 6000, (6000 / 4 + by_chance) / 6000).pvalue > 1e-3


# What is refused from outside


def altered(**arrays: object) -> Population:
    fields = {**DIAMOND.arrays(), **{name: np.asarray(value) for name, value in arrays.items()}}
    return Population.from_arrays(fields)


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"sources": np.array([5, 0, 6, 1, 2, 99], np.int32)}, "comes from no node"),
        ({"sources": np.array([5, 0, 6, 1, -1, 5], np.int32)}, "comes from no node"),
        ({"sources": np.array([5, 4, 6, 1, 2, 5], np.int32)}, "comes from an output"),
        ({"targets": np.array([6, 5, 4, 4, 8, 4], np.int32)}, "goes to no node"),
        ({"targets": np.array([6, 5, 4, 4, 3, 4], np.int32)}, "goes to no node"),
        ({"targets": np.array([5, 5, 4, 4, 7, 4], np.int32)}, "cycle"),
        ({"sources": np.array([5, 6, 6, 1, 2, 5], np.int32)}, "cycle"),
        ({"weights": np.array([1, 2, np.nan, 4, 5, 6], np.float32)}, "not finite"),
        ({"weights": np.zeros(5, np.float32)}, "same length"),
        ({"activations": np.array([0, 1, 2, 200], np.uint8)}, "activation"),
        ({"activations": np.array([0, 1, 2], np.uint8)}, "node_offsets"),
        ({"node_offsets": np.array([0, 5])}, "node_offsets"),
        ({"node_offsets": np.array([0, 2**62, 4])}, "node_offsets"),
        ({"node_offsets": np.array([0.0, 4.0])}, "node_offsets"),
        ({"edge_offsets": np.array([0, 7, 6])}, "edge_offsets"),
        ({"edge_offsets": np.array([0, 3, 6])}, "same length"),
        ({"edge_offsets": np.zeros(0, np.int64)}, "edge_offsets"),
        ({"outputs": np.array([2])}, "outputs"),
    ],
)
def test_arrays_that_are_no_population_are_refused(arrays: dict, named: str) -> None:
    """A shared run directory comes from a stranger, and the kernels index without looking."""
    with pytest.raises(ValueError, match=named):
        check(altered(**arrays))
