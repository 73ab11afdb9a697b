"""Schedules that ask for a process of their own get a CronJob; who cannot have one is named, and stays in a replica."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import files
from shoal.deploy.kubernetes.compile import compile_kubernetes, findings
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.timing import expression
from shoal.model import cron
from shoal.model.schedule import Schedule
from shoal.model.system import System
from tests.deploy.authority import complaints, validator
from tests.deploy.samples import CAFE, MENU, MESHES, TILL, artifacts, objects, of_kind, scope_of, written
from tests.deploy.test_consistency import errors
from tests.deploy.test_restricted import RULES

NIGHTLY = Schedule(
    name="close-day",
    cron="30 2 * * 7",
    zone="Europe/Berlin",
    apart=True,
    attempts=3,
    timeout=600,
    source="cafe/till.py:60",
)
ODD = Schedule(name="odd", every=420, apart=True, source="cafe/till.py:70")
USUAL = Schedule(name="usual", every=60)
SYSTEM = msgspec.structs.replace(
    CAFE, services=(msgspec.structs.replace(TILL, schedules=(NIGHTLY, ODD, USUAL)), MENU)
)  # fmt: skip


def of(system: System = SYSTEM, **more: Any) -> dict[str, str]:
    return written(system, Environment(name="dev", **more))


def test_it_runs_in_a_process_of_its_own_and_in_no_replica() -> None:
    texts = of()
    (job,) = (one for one in of_kind(objects(texts), "CronJob"))
    spec = job["spec"]
    assert (job["metadata"]["name"], spec["schedule"], spec["timeZone"]) == (
        "till-close-day",
        "30 2 * * 0",
        "Europe/Berlin",
    )
    template = spec["jobTemplate"]["spec"]["template"]
    assert template["spec"]["containers"][0]["command"][-2:] == ["shoal.runtime.once", "close-day"]
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] >= 3 * 600
    assert "SHOAL_APART=close-day\n" in texts["base/till/settings.env"]
    assert "SHOAL_APART" not in texts["base/menu/settings.env"]
    assert [name for name, keeps in RULES.items() if not keeps(template["spec"])] == []


def test_a_long_name_is_cut_to_what_a_cronjob_may_have() -> None:
    long = msgspec.structs.replace(NIGHTLY, name=f"close-{'d' * 50}y")
    till = msgspec.structs.replace(TILL, schedules=(long,))
    texts = of(msgspec.structs.replace(CAFE, services=(till, MENU)))
    (job,) = of_kind(objects(texts), "CronJob")
    assert len(job["metadata"]["name"]) <= 52
    assert f"SHOAL_APART={long.name}\n" in texts["base/till/settings.env"]


def test_it_may_call_whom_its_service_calls() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects(of()), "NetworkPolicy")}
    (rule,) = policies["till-schedules"]["egress"]
    assert rule["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "menu"
    callers = [peer["podSelector"]["matchLabels"] for peer in policies["menu"]["ingress"][0]["from"]]
    assert {
        "app.kubernetes.io/name": "till",
        "app.kubernetes.io/part-of": "cafe",
        "app.kubernetes.io/component": "job",
    } in callers
    assert "menu-schedules" not in policies


def test_what_no_cronjob_can_wake_is_said() -> None:
    found = [one for one in findings(scope_of(SYSTEM)) if one.code == "DEPLOY-SCHEDULE-01"]
    assert [(one.where, "odd of till" in one.message) for one in found] == [("cafe/till.py:70", True)]


@pytest.mark.parametrize("mesh", MESHES)
def test_documents_agree(mesh: Any) -> None:
    assert not errors(of(mesh=mesh))


def test_they_are_valid(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    program = validator(tmp_path / "schemas")
    files.write_all(tmp_path / "out", artifacts(SYSTEM, Environment(name="dev", mesh="istio-ambient")))
    assert compile_kubernetes(scope_of(SYSTEM)) == compile_kubernetes(scope_of(SYSTEM))
    assert not complaints(program, tmp_path / "out" / "overlays")


@pytest.mark.parametrize(
    ("seconds", "when"),
    [(60, "*/1 * * * *"), (900, "*/15 * * * *"), (3600, "0 */1 * * *"), (21600, "0 */6 * * *"), (86400, "0 0 * * *"),
     (30, ""), (420, ""), (5400, ""), (18000, ""), (172800, "")],
)  # fmt: skip
def test_periods_are_said_where_a_clock_face_has_them(seconds: float, when: str) -> None:
    assert expression(Schedule(name="a", every=seconds, apart=True)) == when


@given(st.lists(st.sampled_from(["0", "2", "7", "5-7", "sun", "1-5/2", "3-7/4"]), min_size=1, max_size=3))
def test_days_of_the_week_mean_the_same(days: list[str]) -> None:
    text = f"0 3 * * {','.join(days)}"
    said = expression(Schedule(name="a", cron=text, apart=True))
    assert cron.parse(said).weekdays == cron.parse(text).weekdays
    assert "7" not in said
