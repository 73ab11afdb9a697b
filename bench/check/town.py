"""A system of many services, written as authors write them, file by file."""

from pathlib import Path

CHAIN = 5
"""Services of which each calls the next; so many of a chain follow each other."""

_SERVICE = '''"""Service number {i}."""

from typing import Protocol

import msgspec

from shoal import Postgres, Problem, Service, Transaction, contract, event, get, internal, record{imports}


@event("{town}{i}.done", key="item")
class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    item: str


@record("things", key="item")
class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A thing."""

    item: str
    count: int = 0


@contract("{town}{i}")
class Api(Protocol):
    """What it is asked."""

    @get("/{town}{i}/work/{{item}}", access=internal)
    async def work(self, item: str) -> str:
        """Work."""
        ...


{town}{i} = Service("{town}{i}", store=Postgres(), publishes=[Done], contracts=[Api])


@{town}{i}.implements(Api.work)
async def work(item: str, tx: Transaction{parameter}) -> str:
    """Work on an item."""
    thing = await tx.get(Thing, item, lock=True)
    if thing is None:
        raise Problem(404, "not-found", f"there is no {{item}}")
    tx.put(Thing(item=item, count=more(thing)))
    tx.publish(Done(item=item))
    return {answer}


def more(thing: Thing) -> int:
    """Count."""
    return thing.count + 1
{hears}'''
_HEARS = '''

@{town}{i}.on(NextDone, leads_to=[])
async def hear(event: NextDone, tx: Transaction) -> None:
    """Hear that the next one is done."""
    for thing in await tx.find(Thing, {{"item": event.item}}, limit=10):
        tx.put(thing)
'''


def write(root: Path, services: int, town: str) -> Path:
    """Write a project of so many services below `root`, in a package of this name, and return its folder.

    The system is ``TOWN.system:system``.
    """
    (root / town).mkdir(parents=True)
    (root / town / "__init__.py").write_text("", "utf-8")
    for number in range(services):
        text = _service(number, town, last=number == services - 1)
        (root / town / f"t{number}.py").write_text(text, "utf-8")
    imports = "".join(f"from {town}.t{number} import {town}{number}\n" for number in range(services))
    names = ", ".join(f"{town}{number}" for number in range(services))
    text = f'from shoal import System\n{imports}\nsystem = System("{town}", services=[{names}])\n'
    (root / town / "system.py").write_text(text, "utf-8")
    return root


def _service(number: int, town: str, *, last: bool) -> str:
    if last or number % CHAIN == CHAIN - 1:
        return _SERVICE.format(town=town, i=number, imports="", parameter="", answer="item", hears="")
    after = f"{town}.t{number + 1}"
    imports = f"\nfrom {after} import Api as Next\nfrom {after} import Done as NextDone"
    hears, answer = _HEARS.format(town=town, i=number), "await next_.work(item)"
    return _SERVICE.format(town=town, i=number, imports=imports, parameter=", next_: Next", answer=answer, hears=hears)
