"""The archive is a lattice (contract 4): otherwise results would depend on how work was cut and merged."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fooling.archive import NO_CANDIDATES, Archive, Candidates, Cells
from fooling.archive.invariants import check_archive
from fooling.encodings.direct import DirectPopulation

SHAPE = (2, 2, 1)
# Few distinct values, among them the 1.0 at which float32 softmax saturates: ties are the hard case.
LEVELS = np.array([0.0, 0.25, 0.5, 1.0], np.float32)
BINS = [(), (2,), (2, 2)]  # a cell is a class; or has measures


def images(ids: np.ndarray) -> tuple[np.ndarray, DirectPopulation]:
    """Pixels and genotypes that are a function of the id, as those of a run are."""
    draw = [np.random.default_rng([int(part) for part in row]) for row in ids]
    pixels = np.array([g.integers(0, 256, SHAPE) for g in draw], np.uint8).reshape(-1, *SHAPE)
    genes = np.array([g.random(4) for g in draw], np.float32).reshape(-1, 4)
    return pixels, DirectPopulation(genes.reshape(-1, *SHAPE))


def bins_of(ids: np.ndarray, cells: Cells) -> np.ndarray | None:
    """A toy measure, which is a function of the image as measures are."""
    return ids.sum(axis=1, dtype=np.int32) % np.int32(cells.per_class) if cells.bins else None


def batch(ids: np.ndarray, confidences: np.ndarray, cells: Cells | None = None) -> Candidates:
    cells = cells or Cells(confidences.shape[1])
    order = np.lexsort((ids[:, 2], ids[:, 1], ids[:, 0]))
    pixels, genotypes = images(ids[order])
    thresholds = np.full(len(cells), -1, np.float32)
    bins = bins_of(ids[order], cells)
    return Candidates.best_of(ids[order], pixels, genotypes, confidences[order], thresholds, bins)


def archive(cells: Cells) -> Archive:
    return Archive(cells, SHAPE, DirectPopulation(np.zeros((0, *SHAPE), np.float32)))


@st.composite
def offers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Distinct ids in any order, and confidences."""
    classes = draw(st.integers(2, 6))
    count = draw(st.integers(1, 12))
    every = [(g, s, c) for g in range(3) for s in range(2) for c in range(4)]
    ids = draw(st.permutations(every))[:count]
    levels = draw(
        st.lists(st.integers(0, len(LEVELS) - 1), min_size=count * classes, max_size=count * classes)
    )
    return np.array(ids, np.int32), LEVELS[np.array(levels)].reshape(count, classes)


def filled(ids: np.ndarray, confidences: np.ndarray, cells: Cells | None = None) -> Archive:
    cells = cells or Cells(confidences.shape[1])
    result = archive(cells)
    result.offer(batch(ids, confidences, cells))
    return result


@given(offers(), st.sampled_from(BINS))
@settings(max_examples=200, deadline=None)
def test_a_batch_gives_what_its_images_give_one_at_a_time(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...]
) -> None:
    """Else the chunk size would change the result of a run."""
    ids, confidences = offer
    cells = Cells(confidences.shape[1], bins)
    one_by_one = archive(cells)
    for row in range(len(ids)):
        one_by_one.offer(batch(ids[row : row + 1], confidences[row : row + 1], cells))
    assert filled(ids, confidences, cells).digest() == one_by_one.digest()


@given(offers(), st.sampled_from(BINS), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_batches_at_once_give_what_they_give_one_after_the_other(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...], seed: int
) -> None:
    """Else the number of workers would change the result of a run, or an elite would have another's image."""
    ids, confidences = offer
    cells = Cells(confidences.shape[1], bins)
    rng = np.random.default_rng(seed)
    owner, order = rng.integers(0, 4, len(ids)), rng.permutation(4)
    at_once, in_turn = archive(cells), archive(cells)
    for half in (slice(0, len(ids) // 2), slice(len(ids) // 2, None)):
        batches = [
            batch(ids[half][mine], confidences[half][mine], cells)
            for mine in (owner[half] == k for k in order)
            if mine.any()
        ]
        before = in_turn.elite_ids
        changed = at_once.offer(*batches)
        for one in batches:
            in_turn.offer(one)
        assert changed.tolist() == np.flatnonzero((in_turn.elite_ids != before).any(axis=1)).tolist()
    assert at_once.digest() == in_turn.digest() == filled(ids, confidences, cells).digest()
    assert np.array_equal(at_once.elite_ids, in_turn.elite_ids)


@given(offers(), st.sampled_from(BINS))
@settings(max_examples=100, deadline=None)
def test_every_cell_holds_the_first_of_the_best(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...]
) -> None:
    """A wrong tie-break would make the archive depend on the order of arrival; a wrong bin would show an image where
    it does not belong."""
    ids, confidences = offer
    cells = Cells(confidences.shape[1], bins)
    result = filled(ids, confidences, cells)
    falls = bins_of(ids, cells)
    for cell, (number, *place) in enumerate(cells.index.tolist()):
        rivals = np.arange(len(ids))
        if falls is not None:
            rivals = np.flatnonzero(falls == np.ravel_multi_index(place, bins))
        ranked = sorted(rivals.tolist(), key=lambda row: (-confidences[row, number], *ids[row].tolist()))
        row = int(result.rows[cell])
        if not ranked:
            assert row == -1
            assert np.isnan(result.confidence[cell])
            continue
        assert tuple(result.elite_ids[cell]) == tuple(ids[ranked[0]])
        assert result.confidence[cell] == confidences[ranked[0], number]
        pixels, genotypes = images(ids[ranked[:1]])
        assert np.array_equal(result.pixels[row], pixels[0])
        assert result.genotypes.canonical_bytes(row) == genotypes.canonical_bytes(0)


@given(offers(), st.sampled_from(BINS), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_merging_is_commutative_associative_and_idempotent(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...], seed: int
) -> None:
    """Else islands would end with archives that depend on who merged first."""
    ids, confidences = offer
    cells = Cells(confidences.shape[1], bins)
    owner = np.random.default_rng(seed).integers(0, 3, len(ids))
    parts = [(ids[owner == k], confidences[owner == k]) for k in range(3)]

    def part(k: int) -> Archive:
        return filled(*parts[k], cells) if len(parts[k][0]) else archive(cells)

    def joined(*order: int) -> Archive:
        result = archive(cells)
        for k in order:
            result.merge(part(k))
        return result

    whole = filled(ids, confidences, cells).digest()
    assert joined(0, 1, 2).digest() == joined(2, 0, 1).digest() == whole
    right = part(1)
    right.merge(part(2))
    left = part(0)
    left.merge(right)
    assert left.digest() == whole
    assert len(left.merge(left)) == 0
    assert left.digest() == whole


@given(offers(), offers())
@settings(max_examples=50, deadline=None)
def test_a_confidence_never_falls(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> None:
    classes = min(first[1].shape[1], second[1].shape[1])
    result = filled(first[0], first[1][:, :classes])
    before = result.thresholds
    changed = result.offer(batch(second[0] + [[5, 0, 0]], second[1][:, :classes]))
    assert (result.thresholds >= before).all()
    assert set(np.flatnonzero(result.thresholds > before)) <= set(changed.tolist())


def test_candidates_are_only_those_that_beat_a_threshold() -> None:
    """What a worker sends back is what travels over the network."""
    ids = np.array([[1, 0, child] for child in range(3)], np.int32)
    confidences = np.array([[0.5, 0.1], [0.5, 0.2], [0.1, 0.3]], np.float32)
    pixels, genotypes = images(ids)
    found = Candidates.best_of(ids, pixels, genotypes, confidences, np.array([0.5, 0.25], np.float32))
    assert found.cells.tolist() == [1]
    assert found.ids.tolist() == [[1, 0, 2]]
    assert len(found.genotypes) == 1


@given(offers(), st.sampled_from(BINS), st.booleans())
@settings(max_examples=100, deadline=None)
def test_tensors_give_the_candidates_that_arrays_give(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...], all_tensors: bool
) -> None:
    """Else a run on CUDA, where confidences are reduced on the device, would break ties otherwise."""
    ids = offer[0][np.lexsort(offer[0].T[::-1])]
    pixels, genotypes = images(ids)
    cells = Cells(offer[1].shape[1], bins)
    thresholds, falls = np.full(len(cells), LEVELS[1], np.float32), bins_of(ids, cells)
    expected = Candidates.best_of(ids, pixels, genotypes, offer[1], thresholds, falls)
    shown = torch.from_numpy(pixels) if all_tensors else pixels
    found = Candidates.best_of(ids, shown, genotypes, torch.from_numpy(offer[1]), thresholds, falls)
    if expected is NO_CANDIDATES:
        assert found is expected
        return
    for name in ("ids", "pixels", "images", "cells", "confidences", "top1", "top1_confidence"):
        array = getattr(found, name)
        assert isinstance(array, np.ndarray)
        assert array.dtype == getattr(expected, name).dtype
        assert np.array_equal(array, getattr(expected, name))
    assert np.array_equal(found.genotypes.genes, expected.genotypes.genes)


def test_the_digest_is_of_the_documented_bytes() -> None:
    """Other programs recompute it."""
    ids = np.array([[0, 0, 0], [0, 0, 1]], np.int32)
    result = filled(ids, np.array([[0.5, 0.25, 0.75], [0.25, 0.5, 0.25]], np.float32))
    sha = hashlib.sha256()
    pixels, genotypes = images(ids)
    for number, row, confidence in ((0, 0, 0.5), (1, 1, 0.5), (2, 0, 0.75)):
        sha.update(np.array([number], "<i4").tobytes() + np.array([confidence], "<f4").tobytes())
        sha.update(pixels[row].tobytes() + genotypes.canonical_bytes(row))
    assert result.digest() == sha.hexdigest()


def test_rows_of_dethroned_elites_are_used_again() -> None:
    """Else memory would grow with generations."""
    result = archive(Cells(3))
    for generation in range(20):
        ids = np.array([[generation, 0, child] for child in range(5)], np.int32)
        confidences = np.full((5, 3), generation / 20, np.float32) + np.float32(0.01) * np.arange(3)
        result.offer(batch(ids, confidences.astype(np.float32)))
    assert len(result.genotypes) <= 3
    assert result.rows.max() < 3


@pytest.mark.parametrize("classes", [2, 10, 1000, 20_000])
def test_any_number_of_classes(classes: int) -> None:
    result = archive(Cells(classes))
    assert np.isnan(result.confidence).all()
    rng = np.random.default_rng(classes)
    ids = np.array([[0, 0, child] for child in range(8)], np.int32)
    confidences = rng.random((8, classes)).astype(np.float32)
    assert len(result.offer(batch(ids, confidences))) == classes
    assert np.array_equal(result.confidence, confidences.max(axis=0))
    assert result.ids[result.rows, 2].tolist() == confidences.argmax(axis=0).tolist()


@given(offers(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_every_elite_knows_what_it_is_called_first(offer: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    """Else a page says that an image fools the network which calls it something else. Of equals the elite's own class
    counts as first, and then the lowest; however the images were grouped."""
    ids, confidences = offer
    result = archive(Cells(confidences.shape[1]))
    for part in np.array_split(np.random.default_rng(seed).permutation(len(ids)), 3):
        if len(part):
            result.offer(batch(ids[part], confidences[part]))
    answers, sure = result.elite_top1()
    for number in range(confidences.shape[1]):
        row = confidences[(ids == result.elite_ids[number]).all(axis=1)][0]
        assert sure[number] == row.max()
        assert answers[number] == (number if row[number] == row.max() else row.argmax())


def test_what_an_older_checkpoint_does_not_tell_stays_unknown() -> None:
    """A guess would be shown as a fact. What is found later is known, and merging keeps either."""
    old = filled(np.array([[0, 0, 0], [0, 0, 1]], np.int32), np.array([[0.5, 0.75], [0.25, 0.5]], np.float32))
    saved = {name: array for name, array in old.arrays().items() if not name.startswith("top1")}
    again = archive(Cells(2))
    again.restore(saved, old.genotypes)
    assert again.digest() == old.digest()
    assert again.elite_top1()[0].tolist() == [-1, -1]
    assert np.isnan(again.elite_top1()[1]).all()
    again.offer(batch(np.array([[1, 0, 0]], np.int32), np.array([[1.0, 0.5]], np.float32)))
    other = archive(Cells(2))
    other.merge(again)
    for found in (again, other):
        assert found.elite_top1()[0].tolist() == [0, -1]
    assert archive(Cells(3)).elite_top1()[0].tolist() == [-1, -1, -1]


@given(offers(), st.sampled_from(BINS))
@settings(max_examples=50, deadline=None)
def test_a_checkpoint_brings_back_every_cell(
    offer: tuple[np.ndarray, np.ndarray], bins: tuple[int, ...]
) -> None:
    """Else a resumed run would go on from other elites."""
    ids, confidences = offer
    cells = Cells(confidences.shape[1], bins)
    first, again = filled(ids, confidences, cells), archive(cells)
    check_archive(again, first.arrays(), first.genotypes, generation=2)
    again.restore(first.arrays(), first.genotypes)
    assert again.digest() == first.digest()
    assert np.array_equal(again.elite_top1()[0], first.elite_top1()[0])


def test_thresholds_that_were_handed_out_never_change() -> None:
    """Workers still read those of a generation while its candidates are offered."""
    result = filled(np.array([[0, 0, 0]], np.int32), np.array([[0.25, 0.5]], np.float32))
    thresholds, rows = result.thresholds, result.rows
    result.offer(batch(np.array([[1, 0, 0]], np.int32), np.array([[0.5, 0.25]], np.float32)))
    assert thresholds.tolist() == [0.25, 0.5]
    assert rows.tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        result.thresholds[0] = 1
