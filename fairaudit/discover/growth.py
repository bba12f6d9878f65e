"""Growing axis-parallel trees on many permuted logs of the same speakers, level by level.

All replicates of one half are grown together: an entry is one row in one replicate, the entries of a
node lie together in arrays that are sorted by coordinate once for each axis and then only split in
two. Sums are whole numbers, so a tree does not depend on what it is grown with.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from fairaudit.counts import Bools, Floats, Ints
from fairaudit.estimate import has_travellers

Criterion = Literal["poisson", "between", "difference"]


@dataclass(frozen=True, eq=False)
class Trees:
    """The nodes of one tree for each replicate; the first nodes are the roots.

    Parameters
    ----------
    replicate : ndarray of int64, shape (nodes,)
    axis : ndarray of int64, shape (nodes,)
        0 splits on latitude, 1 on longitude, -1 is a leaf.
    edge : ndarray of int64, shape (nodes,)
        Cells below it go to the first child.
    child : ndarray of int64, shape (nodes,)
        Number of the first child; the second follows it.
    gain : ndarray of float64, shape (nodes,)
    """

    replicate: Ints
    axis: Ints
    edge: Ints
    child: Ints
    gain: Floats

    def leaf_numbers(self) -> Ints:
        """Return the numbers of the leaves, from 0 in each replicate in the order of nodes; -1 elsewhere."""
        reached = np.zeros(len(self.axis), dtype=bool)
        roots = int(self.replicate.max(initial=-1)) + 1
        reached[:roots] = True
        level = np.arange(roots)
        while len(level := level[self.axis[level] >= 0]):
            level = np.concatenate([self.child[level], self.child[level] + 1])
            reached[level] = True
        leaves = np.flatnonzero(reached & (self.axis < 0))
        leaves = leaves[np.argsort(self.replicate[leaves], kind="stable")]
        first = np.searchsorted(self.replicate[leaves], self.replicate[leaves])
        numbers = np.full(len(self.axis), -1, dtype=np.int64)
        numbers[leaves] = np.arange(len(leaves)) - first
        return numbers

    def assign(self, latitude: Floats, longitude: Floats) -> Ints:
        """Send rows down every tree.

        Parameters
        ----------
        latitude, longitude : ndarray of float64, shape (rows,)
            In cells, none missing.

        Returns
        -------
        ndarray of int64, shape (replicates, rows)
            Leaf numbers.
        """
        replicates, rows = int(self.replicate.max(initial=-1)) + 1, len(latitude)
        places = np.concatenate([latitude, longitude])
        offset = np.maximum(self.axis, 0) * rows
        inner = self.axis >= 0
        leaf = np.repeat(np.arange(replicates), rows)
        going = np.flatnonzero(inner.take(leaf))
        row, at = going % max(rows, 1), leaf.take(going)
        while len(going):
            beyond = places.take(offset.take(at) + row) >= self.edge.take(at)
            at = self.child.take(at) + beyond
            leaf[going] = at
            further = np.flatnonzero(inner.take(at))
            going, row, at = going.take(further), row.take(further), at.take(further)
        return self.leaf_numbers().take(leaf).reshape(replicates, rows)


@dataclass(frozen=True, eq=False)
class Field:
    """What is searched: coordinates of rows, and weights and errors of each replicate."""

    places: tuple[Ints, Ints]
    speaker: Ints
    errors: Ints
    weights: Ints
    words: Ints
    min_speakers: int
    min_words: int
    criterion: Criterion

    @cached_property
    def tiled(self) -> list[Ints]:
        """The coordinates of the entries, one replicate after the other."""
        return [np.tile(place, len(self.errors)) for place in self.places]


def grow(field: Field, max_regions: int) -> Trees:
    """Grow best-first trees of at most `max_regions` leaves.

    Levels are grown whole. Where a tree then has too many leaves its splits are taken in the order
    of their gain, which is what a best-first search would have done: a node's gain does not depend
    on when it is split.
    """
    replicates, rows = field.errors.shape
    base = np.arange(replicates)[:, None] * rows
    entries = [(base + np.argsort(place, kind="stable")).ravel() for place in field.places]
    sizes, nodes = np.full(replicates, rows), np.arange(replicates)
    table = [
        (
            np.arange(replicates),
            np.full(replicates, -1),
            *np.zeros((2, replicates), np.int64),
            np.zeros(replicates),
        )
    ]
    columns = [np.concatenate(c) for c in zip(*table, strict=True)]
    while rows and len(nodes):
        starts = np.cumsum(sizes) - sizes
        gain, axis, position, edge = _best_splits(field, entries, starts, sizes)
        splits = np.flatnonzero(axis >= 0)
        if not len(splits):
            break
        children = len(columns[0]) + 2 * np.arange(len(splits))
        for column, values in zip(columns[1:], (axis, edge, None, gain), strict=True):
            column[nodes[splits]] = children if values is None else values[splits]
        fresh = np.repeat(columns[0][nodes[splits]], 2)
        new = (fresh, np.full(len(fresh), -1), *np.zeros((2, len(fresh)), np.int64), np.zeros(len(fresh)))
        columns = [np.concatenate(pair) for pair in zip(columns, new, strict=True)]
        entries, sizes, nodes = _divide(field, entries, starts, sizes, axis, position, children)
    trees = Trees(*columns)
    return _pruned(trees, max_regions)


def _best_splits(
    field: Field, entries: list[Ints], starts: Ints, sizes: Ints
) -> tuple[Floats, Ints, Ints, Ints]:
    """Find the best split of each node: gain, axis (-1 for none), last position on the left, edge."""
    best = np.zeros(len(sizes))
    axis, position, edge = (np.full(len(sizes), -1) for _ in range(3))
    for number, (entry, place) in enumerate(zip(entries, field.tiled, strict=True)):
        at, gain, node = _candidates(field, entry, place, starts, sizes)
        if not len(at):
            continue
        first = np.flatnonzero(np.r_[True, node[1:] != node[:-1]])
        most = np.maximum.reduceat(gain, first)
        winners = np.flatnonzero(gain == np.repeat(most, np.diff(np.r_[first, len(gain)])))
        winners = winners[np.r_[True, node[winners[1:]] != node[winners[:-1]]]]
        better = winners[gain[winners] > best[node[winners]]]
        where = node[better]
        best[where], axis[where], position[where] = gain[better], number, at[better]
        low, high = place[entry[at[better]]], place[entry[at[better] + 1]]
        # Halfway between the two cells, so that a speaker in between goes to the nearer side.
        edge[where] = low + 1 + (high - low - 1) // 2
    return best, axis, position, edge


def _candidates(
    field: Field, entry: Ints, place: Ints, starts: Ints, sizes: Ints
) -> tuple[Ints, Floats, Ints]:
    """List the admissible splits along one axis: last position on the left, gain, node."""
    ends = starts + sizes - 1
    node = np.repeat(np.arange(len(sizes)), sizes)
    at = _with_enough_speakers(field, entry, node, starts, sizes)
    at = at[place.take(entry.take(at)) != place.take(entry.take(at + 1))]
    all_e, e = _sums_left(field.errors, entry, starts, ends, at, node)
    all_w, w = _sums_left(field.weights, entry, starts, ends, at, node)
    where = node[at]
    kept = (w > 0) & (all_w[where] > w)
    if field.min_words > 0:
        total, words = _sums_left(field.words, entry, starts, ends, at, node)
        kept &= (words >= field.min_words) & (total[where] - words >= field.min_words)
    at, where, e, w = at[kept], where[kept], e[kept], w[kept]
    gain = _gain(field.criterion, e, w, all_e, all_w, where)
    # Equal rates on both sides leave a gain of rounding errors only.
    worth = gain > 1e-9 * (1 + all_e[where] * (field.criterion == "poisson"))
    return at[worth], gain[worth], where[worth]


def _sums_left(
    values: Ints, entry: Ints, starts: Ints, ends: Ints, at: Ints, node: Ints
) -> tuple[Ints, Ints]:
    """Add up the values of each whole node, and of each node up to each position."""
    sums: Ints = np.cumsum(values.ravel().take(entry))
    before = np.where(starts > 0, sums[starts - 1], 0)
    return sums[ends] - before, sums[at] - before[node[at]]


def _gain(criterion: Criterion, e: Ints, w: Ints, all_e: Ints, all_w: Ints, node: Ints) -> Floats:
    """Score splits of nodes into (e, w) and the remainder of the node's (all_e, all_w)."""
    rest_e, rest_w = all_e[node] - e, all_w[node] - w
    gain: Floats
    if criterion == "difference":
        gain = np.abs(np.true_divide(e, w) - rest_e / rest_w)
    elif criterion == "between":
        whole = np.true_divide(all_e, np.maximum(all_w, 1)) * all_e
        gain = np.true_divide(e, w) * e + rest_e / rest_w * rest_e - whole[node]
    else:
        gain = x_log(e, w) + x_log(rest_e, rest_w) - x_log(all_e, np.maximum(all_w, 1))[node]
    return gain


def x_log(e: Ints, w: Ints) -> Floats:
    """Return e log(e / w), the log likelihood of a rate that is left free; 0, its limit, for no errors."""
    product: Floats = np.log(np.true_divide(np.maximum(e, 1), w)) * e
    return product


def _with_enough_speakers(field: Field, entry: Ints, node: Ints, starts: Ints, sizes: Ints) -> Ints:
    """List the positions up to and after which a node has enough distinct speakers."""
    fewest = field.min_speakers
    if not has_travellers(field.speaker):
        spans = np.maximum(sizes - 2 * fewest + 1, 0)
        return _spans(starts + fewest - 1, spans)
    position = np.arange(len(entry))
    speaker = field.speaker[entry % field.errors.shape[1]]
    order = np.lexsort((position, speaker, node))
    same = (speaker[order][1:] == speaker[order][:-1]) & (node[order][1:] == node[order][:-1])
    first, last = np.empty(len(entry), bool), np.empty(len(entry), bool)
    first[order], last[order] = np.r_[True, ~same], np.r_[~same, True]
    begun, done = np.cumsum(first), np.cumsum(last)
    before = np.where(starts > 0, begun[starts - 1], 0)
    total = begun[starts + sizes - 1] - before
    # Before a node as many speakers have been done with as have begun.
    left, right = begun - before[node], (total + before)[node] - done
    inner = np.ones(len(entry), dtype=bool)
    inner[starts + sizes - 1] = False
    return np.flatnonzero(inner & (left >= fewest) & (right >= fewest))


def _divide(
    field: Field, entries: list[Ints], starts: Ints, sizes: Ints, axis: Ints, position: Ints, children: Ints
) -> tuple[list[Ints], Ints, Ints]:
    """Split the entries of nodes in two, keeping their order; children too small to split are dropped."""
    splits = np.flatnonzero(axis >= 0)
    left_size = position[splits] - starts[splits] + 1
    child_sizes = np.column_stack([left_size, sizes[splits] - left_size]).ravel()
    kept = child_sizes >= 2 * field.min_speakers
    goes_left: Bools = np.zeros(field.errors.size, dtype=bool)
    for number, entry in enumerate(entries):
        here = axis[splits] == number
        goes_left[entry[_spans(starts[splits][here], left_size[here])]] = True
    inside = _spans(starts[splits], sizes[splits])
    offsets = np.cumsum(child_sizes) - child_sizes
    to_left, to_right = (_spans(offsets[side::2], child_sizes[side::2]) for side in (0, 1))
    large = np.repeat(kept, child_sizes)
    divided = []
    for entry in entries:
        e = entry.take(inside)
        left = goes_left.take(e)
        # Lefts and rights of a node keep their order.
        moved = np.empty(len(e), dtype=np.int64)
        moved[to_left], moved[to_right] = e[left], e[~left]
        divided.append(moved[large])
    numbers = np.column_stack([children, children + 1]).ravel()
    return divided, child_sizes[kept], numbers[kept]


def _spans(starts: Ints, sizes: Ints) -> Ints:
    """List the positions of several spans, one after the other."""
    first: Ints = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    return first + np.arange(len(first))


def _pruned(trees: Trees, max_regions: int) -> Trees:
    """Keep the splits that a best-first search makes until it has `max_regions` leaves."""
    inner = trees.axis >= 0
    crowded = np.flatnonzero(np.bincount(trees.replicate[inner]) >= max_regions)
    axis = trees.axis.copy()
    for root in crowded:
        keep: set[int] = set()
        frontier = [(-trees.gain[root], int(root))]
        while frontier and len(keep) < max_regions - 1:
            _, node = heapq.heappop(frontier)
            if trees.axis[node] < 0:
                continue
            keep.add(node)
            for child in (int(trees.child[node]), int(trees.child[node]) + 1):
                heapq.heappush(frontier, (-trees.gain[child], child))
        axis[[n for n in np.flatnonzero(inner & (trees.replicate == root)) if n not in keep]] = -1
    return Trees(trees.replicate, axis, trees.edge, trees.child, trees.gain)
