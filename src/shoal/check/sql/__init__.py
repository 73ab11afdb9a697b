"""SQL of the author's as data: statements, what migrations make of tables, and which of them belong to whom."""

from shoal.check.sql.migrations import Migration as Migration
from shoal.check.sql.migrations import migrations as migrations
from shoal.check.sql.tables import Table as Table
from shoal.check.sql.tables import Tables as Tables
