"""Schedules of a running system, seen and run from the command line."""

import json

import pytest

from shoal.testing import LiveSystem

pytestmark = pytest.mark.live


def test_a_schedule_is_run_by_hand_and_shown(live: LiveSystem) -> None:
    done = live.run("schedules", "run", "payments.reconcile", "--wait")
    assert (done.returncode, "done" in done.stdout + done.stderr) == (0, True), done.stderr
    listed = live.run("schedules", "list", "-o", "json")
    assert listed.returncode == 0, listed.stderr
    (found,) = [row for row in json.loads(listed.stdout) if row["service"] == "payments"]
    assert (found["schedule"], found["rule"], found["outcome"]) == ("reconcile", "every 10 min", "done")
    assert "payments.reconcile" in live.run("schedules", "list").stdout


def test_what_does_not_exist_is_named(live: LiveSystem) -> None:
    refused = live.run("schedules", "run", "payments.nothing")
    assert refused.returncode == 1
    assert "its schedules: reconcile" in refused.stderr
