"""Compare operations: requests are received, answers are sent, access must not become stricter."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from shoal.model.change import OUTSIDE, Change, callers, words
from shoal.model.compatibility import Clash, Direction, compare
from shoal.model.contracts import Locked
from shoal.model.data import Data
from shoal.model.operations import Given, Operation, Served, operations
from shoal.model.schemas import reachable
from shoal.model.system import System


class Break(Data, frozen=True, kw_only=True):
    """One way in which an operation is no longer what its callers knew."""

    rule: str
    message: str
    old: str = ""
    new: str = ""
    path: str = ""


Rule = Callable[[Operation, Operation], Iterator[Break]]


def http_changes(locked: Locked, now: Locked, system: System) -> Iterator[Change]:
    """List every difference between locked and declared operations."""
    before = [operation for service in locked.services for operation in operations(service)]
    after = [operation for service in now.services for operation in operations(service)]
    pairs = _pairs(before, after)
    for old, new in pairs:
        yield from _compared(old, new, system)
    known = {id(old) for old, _ in pairs}
    for old in before:
        if id(old) not in known:
            gone = Break(rule="removed", message="the operation is gone")
            yield _change(old, None, system, gone, breaking=True)
    found = {id(new) for _, new in pairs}
    for new in after:
        if id(new) not in found:
            added = Break(rule="added", message="the operation is new")
            yield _change(new, new, system, added, breaking=False)


def _pairs(before: list[Operation], after: list[Operation]) -> list[tuple[Operation, Operation]]:
    """Match operations by their route, and those that are left by their name."""
    by_route = {operation.route: operation for operation in after}
    pairs = [(old, by_route[old.route]) for old in before if old.route in by_route]
    taken = {id(operation) for pair in pairs for operation in pair}
    by_name = {(o.service, o.served.name): o for o in after if id(o) not in taken}
    rest = [(old, by_name.get((old.service, old.served.name))) for old in before if id(old) not in taken]
    return pairs + [(old, new) for old, new in rest if new is not None]


def _compared(old: Operation, new: Operation, system: System) -> Iterator[Change]:
    breaks = [found for rule in RULES for found in rule(old, new)] if old != new else []
    for found in breaks:
        yield _change(old, new, system, found, breaking=True)
    if not breaks and old != new and _plain(old) != _plain(new):
        backwards = [found.path for rule in RULES for found in rule(new, old)]
        places = ", ".join(dict.fromkeys(path for path in backwards if path)) or "wording"
        found = Break(rule="compatible", path=places, message="changed, and callers stay able")
        yield _change(old, new, system, found, breaking=False)


def _plain(operation: Operation) -> Any:
    """Collect everything that a caller can see of an operation, references included."""
    served = msgspec.to_builtins(operation.served)
    return served, [operation.named[name] for name in reachable([served], operation.named)]


def _route(old: Operation, new: Operation) -> Iterator[Break]:
    """Check the address and the status of a success."""
    if old.route != new.route:
        yield Break(rule="route", message="it is served elsewhere", old=old.title, new=new.title)
    if old.served.status != new.served.status:
        message = "it answers with another status"
        yield Break(rule="status", message=message, old=old.served.status, new=new.served.status)


def _access(old: Operation, new: Operation) -> Iterator[Break]:
    """Check who may call: nobody who could may be refused."""
    before, after = old.served, new.served
    if after.kind not in (before.kind, "anyone"):
        yield Break(rule="access", message="access is stricter", old=before.kind, new=after.kind)
    if before.kind == after.kind == "principal":
        lost = not after.roles or (before.roles and set(before.roles) <= set(after.roles))
        if not lost:
            yield Break(
                rule="access", message="some roles are refused now", old=_list(before.roles), new=_list(after.roles)
            )
        if after.scopes - before.scopes:
            message = "further scopes are demanded"
            yield Break(rule="access", message=message, old=_list(before.scopes), new=_list(after.scopes))
        yield from _claims(before, after)


def _claims(before: Served, after: Served) -> Iterator[Break]:
    """Check demands on claims, and the list of consumers that may call."""
    for name, wanted in after.claims.items():
        known = before.claims.get(name)
        if known is None or not set(known) <= set(wanted):
            message = f"claim {name} is demanded, or of fewer values"
            yield Break(rule="access", message=message, old=_texts(known or ()), new=_texts(wanted))
    if after.consumers and not (before.consumers and set(before.consumers) <= set(after.consumers)):
        message = "some consumers are refused now"
        yield Break(rule="access", message=message, old=_list(before.consumers), new=_list(after.consumers))


def _texts(values: Iterable[object]) -> str:
    return _list(str(value) for value in values)


def _parameters(old: Operation, new: Operation) -> Iterator[Break]:
    """Check parameters: those of query and header by name, those of the path by place."""
    before, after = _by_name(old), _by_name(new)
    for key, given in after.items():
        path = f"parameter {given.name}"
        if key not in before:
            if given.required:
                yield Break(
                    rule="parameter-required", path=path, message="it must be sent now", old="absent", new="required"
                )
            continue
        if given.required and not before[key].required:
            yield Break(
                rule="parameter-required", path=path, message="it must be sent now", old="optional", new="required"
            )
        yield from _clashes(path, before[key].schema, given.schema, "received", old, new)
    if ("header", "idempotency-key") in before.keys() - after.keys():
        yield Break(rule="idempotency", message="repeating a request under one Idempotency-Key has an effect again")


def _request(old: Operation, new: Operation) -> Iterator[Break]:
    """Check the body that callers send."""
    before, after = old.served.body, new.served.body
    if after is None:
        return
    if after.required and (before is None or not before.required):
        told = "absent" if before is None else "optional"
        yield Break(rule="body-required", path="request", message="a body must be sent now", old=told, new="required")
    if before is not None:
        yield from _clashes("request", before.schema, after.schema, "received", old, new)


def _answer(old: Operation, new: Operation) -> Iterator[Break]:
    """Check the body that callers get."""
    before, after = old.served.answer, new.served.answer
    if before is not None and after is None:
        yield Break(
            rule="answer-removed", path="answer", message="it answers without a body now", old="a body", new="none"
        )
    elif before is not None:
        yield from _clashes("answer", before, after, "sent", old, new)


RULES: tuple[Rule, ...] = (_route, _access, _parameters, _request, _answer)


def _clashes(
    place: str, before: Any, after: Any, direction: Direction, old: Operation, new: Operation
) -> Iterator[Break]:
    for clash in compare(before, after, direction, known=old.named, now=new.named):
        yield _break(place, clash, direction)


def _break(place: str, clash: Clash, direction: Direction) -> Break:
    path = place if clash.path == "$" else f"{place} {clash.path}"
    return Break(rule=clash.kind, path=path, message=words(clash, direction), old=clash.old, new=clash.new)


def _by_name(operation: Operation) -> dict[tuple[str, str], Given]:
    """Know parameters as a request shows them: those of the path have a place in it, and no name."""
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return {
        (p.place, str(names.index(p.name)) if p.place == "path" and p.name in names else p.name.lower()): p
        for p in operation.served.parameters
    }


def _change(old: Operation, new: Operation | None, system: System, found: Break, *, breaking: bool) -> Change:
    service = next((s for s in system.services if s.name == old.service), None)
    endpoint = service.endpoint(new.served.name) if service and new else None
    where = endpoint.source if endpoint else service.source if service else ""
    name = new.served.name if new else old.served.name
    breaks = callers(system, old.service, name) + ((OUTSIDE,) if old.served.kind != "internal" else ())
    return Change(
        contract=old.title,
        service=old.service,
        file=old.file,
        where=where,
        breaking=breaking,
        breaks=breaks if breaking else (),
        **msgspec.structs.asdict(found),
    )


def _list(words: Any) -> str:
    return ", ".join(sorted(words)) or "none"
