"""What is on record of a request: which replicas rest, and whose lines were logged."""

import json
from pathlib import Path

import pytest

from shoal.local import evidence
from shoal.local.layout import layout_of
from shoal.local.probe import Answer
from shoal.local.state import ProcessState, RunState

REPLICAS = {"orders-0": "orders.2", "orders-1": "orders.1", "orders-canary-0": "orders@canary.0"}
STATE = RunState(
    system="s", root="/p", shape="processes", pid=1, status="ready",
    processes=tuple(
        ProcessState(name=name, kind="service", service="orders", status="ready", address=f"unix:/s/{socket}")
        for name, socket in REPLICAS.items()
    ),
)  # fmt: skip


@pytest.mark.parametrize("resting", REPLICAS)
async def test_the_replica_that_rests_is_named_by_its_address(resting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = {name: "/failed_outlier_check" if name == resting else "healthy" for name in REPLICAS}
    lines = [f"orders::/s/{socket}::health_flags::{marks[name]}" for name, socket in REPLICAS.items()]

    async def answer(_: Path, __: str) -> Answer:
        return Answer(status=200, body="\n".join(lines).encode())

    monkeypatch.setattr(evidence, "get", answer)
    told = await evidence.replicas(STATE, Path("/s/envoy.admin"))
    assert [line for line in told["orders"] if line.endswith("resting")] == [f"{resting} resting"]


def test_a_line_says_whose_it_is_whatever_its_process_is_called(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    layout.logs.mkdir(parents=True)
    line = {"message": "GET /x 500", "service": "orders", "trace_id": "t1", "problem": "internal"}
    (layout.logs / "orders-canary-0.log").write_text(json.dumps(line) + "\n")
    (found,) = evidence.logged(layout, "t1")
    assert (found.source, found.service, found.problem) == ("orders-canary-0", "orders", "internal")
