"""Dead letters: what consumers gave up on."""

from collections.abc import Mapping

from shoal.audit.streams import Book
from shoal.audit.subject import Letter
from shoal.model import names
from shoal.model.plan import Plan


def buried(plan: Plan, books: Mapping[str, Book]) -> frozenset[Letter]:
    """List every dead letter by its service and the id of its message."""
    found: set[Letter] = set()
    for service in plan.services:
        book = books.get(names.dead_letter_stream(plan.system.name, service.name))
        subject = names.dead_letter_subject(plan.system.name, service.name)
        if book is not None:
            letters = ((id, stamp.origin) for id, stamp in book.stamps.items() if stamp.subject == subject)
            found |= {(service.name, origin or id.removesuffix(f"-{service.name}")) for id, origin in letters}
    return frozenset(found)
