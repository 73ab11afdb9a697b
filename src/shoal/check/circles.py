"""Circles in a graph: nodes by name, each with its edges by the names of the nodes to which they lead."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

Edge = TypeVar("Edge")


def groups(nexts: Mapping[str, Mapping[str, Edge]]) -> list[list[str]]:
    """Find the groups of nodes that can all reach each other, without recursion; a node that goes to itself is one."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []
    for root in nexts:
        work: list[tuple[str, Iterator[str]]] = [(root, iter(nexts[root]))] if root not in index else []
        while work:
            node, others = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                path.append(node)
            other = next(others, None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cut = path.index(node)
                    found.append(path[cut:])
                    del path[cut:]
            elif other not in index:
                work.append((other, iter(nexts.get(other, {}))))
            elif other in path:
                low[node] = min(low[node], index[other])
    return [group for group in found if len(group) > 1 or group[0] in nexts.get(group[0], {})]


def shortest(nexts: Mapping[str, Mapping[str, Edge]], group: set[str]) -> tuple[Edge, ...]:
    """Find a shortest circle within a group."""
    best: tuple[Edge, ...] = ()
    for start in sorted(group):
        ways: list[tuple[str, tuple[Edge, ...]]] = [(start, ())]
        seen: set[str] = set()
        for node, way in ways:  # grows while it is read
            if best and len(way) + 1 >= len(best):
                break
            for other, site in nexts[node].items():
                if other == start:
                    best = (*way, site)
                    break
                if other in group and other not in seen:
                    seen.add(other)
                    ways.append((other, (*way, site)))
    return best
