"""Long work that only wants processor time, done at the lowest priority while other tests wait for engines."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

NICE = 19
"""Priority of the processes of such work: they get what nobody else wants."""

MANY = 300
"""Tests of a run from which on it is worth while."""

T = TypeVar("T")
_begun: dict[str, "Future[Any]"] = {}


def begin(works: dict[str, Callable[[], object]]) -> None:
    """Begin works, one after the other; a run that is broken off does not wait for them."""
    _begun.update({name: Future() for name in works})
    threading.Thread(target=_do, args=(works,), daemon=True).start()


def _do(works: dict[str, Callable[[], object]]) -> None:
    for name, work in works.items():
        try:
            _begun[name].set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            _begun[name].set_exception(error)


def result_of(name: str, work: Callable[[], T]) -> T:
    """Return what a work came to, which is done now unless it was begun before."""
    found: Future[T] | None = _begun.get(name)
    return work() if found is None else found.result()
