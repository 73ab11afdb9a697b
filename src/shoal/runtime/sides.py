"""The kinds of background work there are, and the tables that the framework keeps in a service's store."""

from shoal.drivers.base import OwnTable
from shoal.runtime.aggregates import AGGREGATES, FACTS
from shoal.runtime.answers.ends import ENDS
from shoal.runtime.answers.side import answers_side
from shoal.runtime.cache.side import forgetting_side
from shoal.runtime.commands.entries import COMMANDS
from shoal.runtime.consuming.attempts import ATTEMPTS
from shoal.runtime.expiring import expiring_side
from shoal.runtime.objects.loose import LOOSE
from shoal.runtime.objects.side import objects_side
from shoal.runtime.privacy.tables import ERASED, KEYS, WRAPPING
from shoal.runtime.projections.side import projection_side
from shoal.runtime.projections.tables import PROJECTION_TABLES
from shoal.runtime.sagas.instances import JOURNAL, SAGAS
from shoal.runtime.sagas.runner import saga_side
from shoal.runtime.schedules.rows import SCHEDULES
from shoal.runtime.schedules.side import schedule_side
from shoal.runtime.search.changes import CHANGES, STANDINGS
from shoal.runtime.search.side import search_side
from shoal.runtime.side import Builder
from shoal.runtime.tidying import tidying_side
from shoal.runtime.warehouse.side import warehouse_side
from shoal.runtime.warehouse.staging import LOADS, STAGED

SIDES: tuple[Builder, ...] = (
    projection_side,
    answers_side,
    forgetting_side,
    saga_side,
    schedule_side,
    warehouse_side,
    search_side,
    objects_side,
    expiring_side,
    tidying_side,
)
"""In the order in which they start; they stop in reverse."""

OWN_TABLES: tuple[OwnTable, ...] = (
    ATTEMPTS,
    ENDS,
    *PROJECTION_TABLES,
    SAGAS,
    JOURNAL,
    SCHEDULES,
    FACTS,
    AGGREGATES,
    STAGED,
    LOADS,
    WRAPPING,
    KEYS,
    ERASED,
    CHANGES,
    STANDINGS,
    COMMANDS,
    LOOSE,
)
