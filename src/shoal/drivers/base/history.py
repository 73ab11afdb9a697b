"""Which numbered files are still to be applied. Pure."""

from collections.abc import Mapping, Sequence

from shoal.drivers.base.store import Migration
from shoal.errors import MigrationError


def outstanding(applied: Mapping[int, str], migrations: Sequence[Migration]) -> Sequence[Migration]:
    """List what is new, in order; `applied` has the checksums by number.

    Raises:
        MigrationError: Two files share a number, or one that was applied has changed or is missing.
    """
    files = {migration.number: migration for migration in migrations}
    if len(files) < len(migrations):
        raise MigrationError("two migrations have the same number", hint="renumber the newer one")
    for number, checksum in applied.items():
        if number not in files or files[number].checksum != checksum:
            name = files[number].name if number in files else f"{number:04}"
            fate = "changed" if number in files else "missing"
            raise MigrationError(
                f"migration {name} was applied, but its file is {fate}",
                hint="restore the file and put the change into a new one",
            )
    return [files[number] for number in sorted(files) if number not in applied]
