"""When a CronJob wakes a schedule: its rule as Kubernetes reads it, where Kubernetes can say it. Pure."""

from collections.abc import Mapping

from shoal.model import cron
from shoal.model.schedule import Schedule
from shoal.model.service import Service

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def alone(service: Service) -> Mapping[Schedule, str]:
    """Return the schedules of a service that run in processes of their own, and when."""
    found = {one: expression(one) for one in service.schedules if one.apart}
    return {one: when for one, when in found.items() if when}


def expression(schedule: Schedule) -> str:
    """Write the rule of a schedule as a CronJob has it; empty where none says it.

    A period must divide an hour or a day, since due times are counted from midnight in UTC.
    """
    if schedule.cron:
        return _weekdays(schedule.cron)
    seconds = int(schedule.every)
    if seconds != schedule.every or seconds % _MINUTE:
        return ""
    if seconds < _HOUR:
        return f"*/{seconds // _MINUTE} * * * *" if _HOUR % seconds == 0 else ""
    if seconds < _DAY:
        return f"0 */{seconds // _HOUR} * * *" if seconds % _HOUR == 0 and _DAY % seconds == 0 else ""
    return "0 0 * * *" if seconds == _DAY else ""


def _weekdays(text: str) -> str:
    """Say Sunday as 0: a CronJob knows no day 7."""
    *others, days = text.split()
    if "7" in days and not days.startswith("*"):
        days = ",".join(str(day) for day in sorted(cron.parse(text).weekdays))
    return " ".join((*others, days))
