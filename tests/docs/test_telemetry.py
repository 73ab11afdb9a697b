"""The page about telemetry names what there is, and its examples do what they say."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import structlog

from shoal.telemetry import conventions, settings
from tests.runtime.world import running
from tests.telemetry.received import recorded

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "telemetry.md").read_text("utf-8")


def example(title: str) -> str:
    found = re.search(rf'```python title="{title}"\n(.*?)```', PAGE, re.DOTALL)
    assert found is not None
    return found[1]


async def test_an_authors_own_spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("spans_page")
    monkeypatch.setitem(sys.modules, "spans_page", module)
    exec(compile(example("own spans"), "spans_page.py", "exec"), module.__dict__)  # noqa: S102 - our own page
    async with running(module.system, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as world:
        answer = await world.post("/baskets", json={"lines": ["tea", "milk"]})
        own, served = recorded(world.recorders.values())
    assert answer.json() == served.trace_id == answer.trace_id
    assert served.attributes["basket.lines"] == 2
    assert (own.name, own.attributes, own.events[0].name) == (
        "look up prices",
        {"basket.first": "tea"},
        "found on the shelf",
    )


def test_structlog_is_configured_as_the_page_says() -> None:
    exec(compile(example("structlog"), "structlog_page.py", "exec"), {})  # noqa: S102 - our own page
    try:
        assert structlog.is_configured()
    finally:
        structlog.reset_defaults()


def test_every_variable_that_is_read_is_on_the_page() -> None:
    source = Path(settings.__file__).read_text()
    whole = set(re.findall(r'"((?:OTEL|SHOAL)_[A-Z_]+)"', source)) - {"OTEL_BSP", "OTEL_BLRP"}
    assert len(whole) > 8
    shown = set(re.findall(r"`([A-Z_…]+)`", PAGE))
    assert [
        name for name in whole if name not in shown and not any(s[0] == "…" and name.endswith(s[1:]) for s in shown)
    ] == []


def test_every_attribute_that_only_we_have_and_the_page_shows_exists() -> None:
    keys = {value for name, value in vars(conventions).items() if name.isupper()}
    assert set(re.findall(r"`(shoal\.[a-z_.]+)`", PAGE)) - {"shoal.", "shoal.opentelemetry"} <= keys
