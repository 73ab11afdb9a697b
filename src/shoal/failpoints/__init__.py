"""Points at which a process can be made to fail, so that tests can crash it where it hurts most.

There is a point before and after every commit, publish, answer to the broker, checkpoint of the relay and reply. They
are not written into the code: when something is armed, the host puts wrappers around its store and its broker, and
each point is named after the function that it lies in, as in ``consuming.work.Worker._commit:after-commit``. When
nothing is armed there is nothing there.

The environment arms a process::

    SHOAL_FAILPOINTS="relay.Shift._publish:after-publish=exit, application.Application._serve:before-reply=hang@3"
"""

from shoal.failpoints.armed import Handler, arm_from, armed, is_armed
from shoal.failpoints.program import ACTIONS, EXIT_CODE, ONCE, VARIABLE, Action, Planted, Program, parse
from shoal.failpoints.sites import Site, sites
from shoal.failpoints.wrap import broker_of, replying, store_of

__all__ = [
    "ACTIONS",
    "EXIT_CODE",
    "ONCE",
    "VARIABLE",
    "Action",
    "Handler",
    "Planted",
    "Program",
    "Site",
    "arm_from",
    "armed",
    "broker_of",
    "is_armed",
    "parse",
    "replying",
    "sites",
    "store_of",
]
