"""Reads a run's file: the same answers for the command line and for the pages.

Open a file with `database`, and give it to the functions here. Times are milliseconds since 1970, durations
milliseconds, identifiers hexadecimal digits in small letters.
"""

from shoal.dashboard.store.reading.database import Database, database
from shoal.dashboard.store.reading.edges import Edge, Edges, edges
from shoal.dashboard.store.reading.logs import LogLine, LogQuery, Logs, logs
from shoal.dashboard.store.reading.metrics import Metric, MetricName, MetricNames, MetricQuery, metric, metrics
from shoal.dashboard.store.reading.operations import Operation, Operations, operations
from shoal.dashboard.store.reading.seen import seen
from shoal.dashboard.store.reading.series import Series, SeriesQuery, series
from shoal.dashboard.store.reading.tail import News, news
from shoal.dashboard.store.reading.trace import Span, Trace, trace
from shoal.dashboard.store.reading.traces import TraceLine, TraceQuery, Traces, traces
from shoal.dashboard.store.reading.used import used

__all__ = [
    "Database",
    "Edge",
    "Edges",
    "LogLine",
    "LogQuery",
    "Logs",
    "Metric",
    "MetricName",
    "MetricNames",
    "MetricQuery",
    "News",
    "Operation",
    "Operations",
    "Series",
    "SeriesQuery",
    "Span",
    "Trace",
    "TraceLine",
    "TraceQuery",
    "Traces",
    "database",
    "edges",
    "logs",
    "metric",
    "metrics",
    "news",
    "operations",
    "seen",
    "series",
    "trace",
    "traces",
    "used",
]
