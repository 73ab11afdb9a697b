"""Check what every system of Shoal promises, on what its stores and its broker hold: nothing lost, nothing twice.

`check` runs the audits of `table.PROMISES` and those that the system declares, and gives a `Report`. Everything is read
through the drivers' Protocols and nothing is changed (read models are folded anew in tables beside them, which are
removed again), so that it can run beside a working system; what is still in flight then counts as a violation, unless
it is waited for.
"""

from shoal.audit.report import Outcome, Report
from shoal.audit.run import check
from shoal.audit.subject import Subject

__all__ = ["Outcome", "Report", "Subject", "check"]
