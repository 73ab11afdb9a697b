"""What is to be done in one step, as operations of MongoDB's client, and what it means when one is refused."""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shoal.drivers.base import Table
from shoal.drivers.base.documents.engine import Hold, Numbered, Refused, Write
from shoal.drivers.mongo import codes, values
from shoal.drivers.mongo.client import BulkWriteError, Collision, DeleteOne, InsertOne, Json, ReplaceOne, UpdateOne
from shoal.errors import EngineError, Unavailable

Operation = InsertOne[Json] | ReplaceOne[Json] | UpdateOne | DeleteOne
Operations = list[Operation]


@dataclass(frozen=True, slots=True)
class Commit:
    """What is to be done in one step."""

    groups: "Sequence[Group]"
    hold: Hold | None
    last: Numbered | None

    @property
    def several(self) -> bool:
        """Whether more than one document changes; a single one needs no transaction."""
        locks = 0 if self.hold is None else len(self.hold.freed) + bool(self.hold.kept)
        numbered = 0 if self.last is None else self.last.count
        return sum(len(group.operations) for group in self.groups) + locks + numbered > 1


class Group:
    """Neighbouring writes that go to the server together."""

    def __init__(self, table: Table, versions: bool, operations: Operations) -> None:  # noqa: FBT001 - one caller
        self.table, self.versions, self.operations = table, versions, operations


def groups(writes: Sequence[Write]) -> Iterator[Group]:
    """Put together what goes to the server together, in order."""
    for (_, versions), some in itertools.groupby(writes, key=lambda write: (write.table.name, bool(write.version))):
        kept = [*some]
        yield Group(kept[0].table, versions, [_operation(write) for write in kept])


def _operation(write: Write) -> Operation:
    meant: Json = {"_id": values.value(write.key)}
    if write.version:
        meant[values.VERSION] = write.version
    if write.row is None:
        return DeleteOne(meant)
    version = uuid.uuid4().hex
    if write.how == "change":
        return UpdateOne(meant, {"$set": {values.VERSION: version, **values.fields(write.table, write.row)}})
    whole = values.document(write.table, write.key, write.row, version)
    return InsertOne(whole) if write.how == "insert" else ReplaceOne(meant, whole, upsert=not write.version)


def refusal(table: Table, group: Operations, error: BulkWriteError) -> Exception:
    """Say what a refused write means; the server's own words quote the document, so they are left out."""
    first = (error.details.get("writeErrors") or [{}])[0]
    code = first.get("code")
    if error.has_error_label("TransientTransactionError") or code in codes.COLLIDES:
        return Collision(f"others changed {table.name}", hint="try again")
    if code == codes.TAKEN:
        column = next(iter(first.get("keyPattern") or {"_id": 1}))
        if column != "_id":
            return Refused(table.name, "unique", column)
        inserting = isinstance(group[first.get("index", 0)], InsertOne)
        if inserting:
            return Refused(table.name, "key")
        return Collision(f"others made the same row of {table.name}", hint="try again")
    if not first or code in codes.PASSING:
        return Unavailable(f"MongoDB could not keep what was written to {table.name} ({code})", hint="try again")
    return EngineError(f"MongoDB refused a document of {table.name}: {first.get('codeName') or code}")
