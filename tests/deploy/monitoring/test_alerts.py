"""The alerts, as Prometheus itself judges series that were made up: who is told of what, and who is left in peace."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shoal.deploy.kubernetes.monitoring.alerts import everywhere
from tests.deploy.monitoring.shop import alerts, groups

PROMTOOL = os.environ.get("SHOAL_PROMTOOL") or shutil.which("promtool")
ABOUT = 'job="orders",namespace="shop"'
REQUESTS = "http_server_request_duration_seconds"
PROMISED = f'shoal_objective_requests_total{{{ABOUT},shoal_operation="orders",shoal_objective="availability"'

FIRING = re.compile(r'alertname="(\w+)", namespace="([^"]+)", severity="(\w+)"')

Series = dict[str, str]

HEALTHY: Series = {
    f"up{{{ABOUT}}}": "1x90",
    f"process_uptime_seconds{{{ABOUT}}}": "60+60x90",
    f'{REQUESTS}_count{{{ABOUT},http_response_status_code="200"}}': "0+60x90",
    f'{REQUESTS}_count{{{ABOUT},http_response_status_code="503"}}': "0+1x90",
    f'{REQUESTS}_bucket{{{ABOUT},le="0.5"}}': "0+60x90",
    f'{REQUESTS}_bucket{{{ABOUT},le="+Inf"}}': "0+60x90",
    f"shoal_outbox_age_seconds{{{ABOUT}}}": "2x90",
    f"shoal_outbox_pending{{{ABOUT}}}": "10x90",
    f"shoal_outbox_bound{{{ABOUT}}}": "1000x90",
    f"shoal_outbox_refused{{{ABOUT}}}": "0x90",
    f'messaging_process_duration_seconds_count{{{ABOUT},shoal_outcome="ok"}}': "0+60x90",
    f'messaging_process_duration_seconds_count{{{ABOUT},shoal_outcome="dead"}}': "3x90",
    f"shoal_sagas_parked{{{ABOUT}}}": "0x90",
    f'shoal_circuit_state{{{ABOUT},shoal_circuit="products"}}': "1x90",
    f"shoal_store_up{{{ABOUT}}}": "1x90",
    f"shoal_cache_up{{{ABOUT}}}": "1x90",
    f"db_client_connection_pending_requests{{{ABOUT}}}": "0x90",
    f'{PROMISED},shoal_outcome="good"}}': "0+10000x90",
    f'{PROMISED},shoal_outcome="bad"}}': "0+1x90",
}

CASES: dict[str, tuple[Series, set[str]]] = {
    "ServiceAbsent": (
        {f"process_uptime_seconds{{{ABOUT}}}": "60+60x60"},  # its proxy is up
        {"ServiceAbsent/page"},
    ),
    "RequestsFail": (
        {f'{REQUESTS}_count{{{ABOUT},http_response_status_code="503"}}': "0+10x90"},
        {"RequestsFail/page"},
    ),
    "RequestsSlow": (
        {f'{REQUESTS}_bucket{{{ABOUT},le="0.5"}}': "0+40x90", f'{REQUESTS}_bucket{{{ABOUT},le="4.0"}}': "0+60x90"},
        {"RequestsSlow/ticket"},
    ),
    "OutboxWaits": ({f"shoal_outbox_age_seconds{{{ABOUT}}}": "45x90"}, {"OutboxWaits/ticket"}),
    "OutboxFills": ({f"shoal_outbox_pending{{{ABOUT}}}": "600x90"}, {"OutboxFills/page"}),
    "EventsRefused": ({f"shoal_outbox_refused{{{ABOUT}}}": "1x90"}, {"EventsRefused/page"}),
    "DeadLetters": (
        {f'messaging_process_duration_seconds_count{{{ABOUT},shoal_outcome="dead"}}': "_x85 1x5"},
        {"DeadLetters/ticket"},
    ),
    "EventsLate": (
        {
            f'shoal_event_delay_seconds_bucket{{{ABOUT},le="16.0"}}': "0+50x90",
            f'shoal_event_delay_seconds_bucket{{{ABOUT},le="32.0"}}': "0+55x90",
            f'shoal_event_delay_seconds_bucket{{{ABOUT},le="+Inf"}}': "0+60x90",
        },
        {"EventsLate/ticket"},
    ),
    "EventsRetried": (
        {f'messaging_process_duration_seconds_count{{{ABOUT},shoal_outcome="retried"}}': "0+60x90"},
        {"EventsRetried/ticket"},
    ),
    "SagasParked": ({f"shoal_sagas_parked{{{ABOUT}}}": "1x90"}, {"SagasParked/ticket"}),
    "ReadModelsFail": (
        {f'shoal_projection_duration_seconds_count{{{ABOUT},shoal_outcome="failed"}}': "0+1x90"},
        {"ReadModelsFail/ticket"},
    ),
    "SchedulesAbandoned": (
        {f'shoal_schedule_duration_seconds_count{{{ABOUT},shoal_outcome="abandoned"}}': "_x70 1x20"},
        {"SchedulesAbandoned/ticket"},
    ),
    "BreakerOpen": (
        {f'shoal_circuit_state{{{ABOUT},shoal_circuit="products"}}': "0x85 2x5"},
        {"BreakerOpen/ticket"},
    ),
    "BreakerStaysOpen": (
        {f'shoal_circuit_state{{{ABOUT},shoal_circuit="products"}}': "2x90"},
        {"BreakerOpen/ticket", "BreakerStaysOpen/page"},
    ),
    "StoreAway": ({f"shoal_store_up{{{ABOUT}}}": "0x90"}, {"StoreAway/page"}),
    "CacheAway": ({f"shoal_cache_up{{{ABOUT}}}": "0x90"}, {"CacheAway/ticket"}),
    "ConnectionsScarce": (
        {f"db_client_connection_pending_requests{{{ABOUT}}}": "2x90"},
        {"ConnectionsScarce/ticket"},
    ),
    "LoopLate": (
        {
            f'shoal_loop_lag_seconds_bucket{{{ABOUT},le="0.25"}}': "0+30x90",
            f'shoal_loop_lag_seconds_bucket{{{ABOUT},le="1.0"}}': "0+60x90",
            f'shoal_loop_lag_seconds_bucket{{{ABOUT},le="+Inf"}}': "0+60x90",
        },
        {"LoopLate/ticket"},
    ),
    "BudgetBurns": (
        {f'{PROMISED},shoal_outcome="bad"}}': "0+500x90"},
        {"BudgetBurns/page", "BudgetBurns/ticket"},
    ),
}

QUIET: dict[str, Series] = {
    "a healthy service": {},
    "few requests, one of which failed": {
        f'{REQUESTS}_count{{{ABOUT},http_response_status_code="200"}}': "0x89 1",
        f'{REQUESTS}_count{{{ABOUT},http_response_status_code="503"}}': "0x89 1",
    },
    "two bad requests of a promise, which are few": {
        f'{PROMISED},shoal_outcome="good"}}': "0x90",
        f'{PROMISED},shoal_outcome="bad"}}': "0x88 1 2",
    },
    "a breaker that opened for half a minute": {f'shoal_circuit_state{{{ABOUT},shoal_circuit="products"}}': "0x89 2"},
    "letters that were there before Prometheus missed ten minutes": {
        f'messaging_process_duration_seconds_count{{{ABOUT},shoal_outcome="dead"}}': "3x62 _x20 3x10"
    },
    "a store that was away, and is back": {f"shoal_store_up{{{ABOUT}}}": "0x80 1x10"},
}


@pytest.fixture(scope="module", name="told")
def _told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Let Prometheus judge every case, each in a namespace of its own, after an hour and a half of its series."""
    if PROMTOOL is None:
        pytest.skip("promtool is not installed here (it comes with Prometheus)")
    folder = tmp_path_factory.mktemp("alerts")
    cases = {name: series for name, (series, _) in CASES.items()} | QUIET
    given = [
        {"series": series.replace('namespace="shop"', f'namespace="{name}"'), "values": values}
        for name, own in cases.items()
        for series, values in (HEALTHY | own).items()
    ]
    sounding = 'count by (namespace, alertname, severity) (ALERTS{alertstate="firing"})'
    test = {"expr": sounding, "eval_time": "90m", "exp_samples": [{"labels": "none", "value": -1}]}
    case = {"interval": "1m", "input_series": given, "promql_expr_test": [test]}
    (folder / "rules.yaml").write_text(json.dumps({"groups": groups()}), "utf-8")
    suite = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (folder / "test.yaml").write_text(json.dumps(suite), "utf-8")
    done = subprocess.run(  # noqa: S603
        [PROMTOOL, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    return got(done.stdout + done.stderr)


def got(output: str) -> dict[str, set[str]]:
    """Read what promtool got instead of what was expected, which never is."""
    found: dict[str, set[str]] = {}
    for name, place, severity in FIRING.findall(output[output.index("got:") :]):
        found.setdefault(place, set()).add(f"{name}/{severity}")
    assert found, output
    return found


@pytest.mark.parametrize("name", CASES)
def test_an_alert_sounds_alone(name: str, told: dict[str, set[str]]) -> None:
    assert told[name] == CASES[name][1]


@pytest.mark.parametrize("name", QUIET)
def test_nobody_is_told_of(name: str, told: dict[str, set[str]]) -> None:
    assert name not in told


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed here (it comes with Prometheus)")
def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": groups()}), "utf-8")
    done = subprocess.run(  # noqa: S603
        [PROMTOOL or "", "check", "rules", "--lint=none", "rules.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_alert_has_a_case_and_a_page() -> None:
    names = {alert.name for alert in everywhere()} | {"BudgetBurns"}
    assert set(CASES) == names == {rule["alert"] for rule in alerts()}
    runbooks = (Path(__file__).parents[3] / "docs" / "runbooks.md").read_text("utf-8")
    for rule in alerts():
        assert f"\n## {rule['alert']}\n" in runbooks
        assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_promise_has_its_alarms() -> None:
    burning = [rule["labels"] for rule in alerts() if rule["alert"] == "BudgetBurns"]
    own = [labels for labels in burning if labels["operation"] == "orders.place_order"]
    assert [(labels["objective"], labels["window"], labels["severity"]) for labels in own] == [
        (objective, window, severity)
        for objective in ("availability", "latency-1s")
        for window, severity in (("1h", "page"), ("6h", "page"), ("3d", "ticket"))
    ]
