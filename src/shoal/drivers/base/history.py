"""Which numbered files are still to be applied. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shoal.drivers.base.store import Migration
from shoal.errors import MigrationError


class Applied(NamedTuple):
    """What is known of a file that was applied."""

    name: str
    checksum: str


def outstanding(applied: Mapping[int, Applied], migrations: Sequence[Migration]) -> Sequence[Migration]:
    """List what is new, in order; `applied` has what is known of the others by number.

    Raises:
        MigrationError: Two files share a number, or one that was applied has changed or is missing.
    """
    files = _by_number(migrations)
    for number, known in applied.items():
        file = files.get(number)
        if file is None:
            raise MigrationError(
                f"migration {known.name} was applied to this database, but its file is missing",
                hint="restore the file, or run the version of the service that has it",
            )
        if file.checksum != known.checksum:
            raise MigrationError(
                f"migration {file.name} was changed after it had been applied",
                hint="restore the file and put the change into a new one; on a laptop, `shoal run --fresh` begins anew",
            )
    return [files[number] for number in sorted(files) if number not in applied]


def _by_number(migrations: Sequence[Migration]) -> Mapping[int, Migration]:
    files: dict[int, Migration] = {}
    for migration in migrations:
        if migration.number in files:
            raise MigrationError(
                f"migrations {files[migration.number].name} and {migration.name} have the same number",
                hint="renumber the newer one",
            )
        files[migration.number] = migration
    return files
