"""Compiled kernels: what is compiled and what comes from the cache."""

from __future__ import annotations

import numba

from cppn.jit import on_compile


def test_compiling_is_told_of_once_and_only_inside_the_block() -> None:
    """A failure costs newcomers: six silent seconds in their first run, or a false line in all later ones."""
    told: list[str] = []
    successor = numba.njit(lambda number: number + 1)
    with on_compile(lambda: told.append("compiling")):
        assert successor(1) == 2
        assert told == ["compiling"]
        assert successor(2) == 3
    assert successor(1.5) == 2.5  # another type is another kernel
    assert told == ["compiling"]
