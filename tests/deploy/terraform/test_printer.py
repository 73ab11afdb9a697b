"""What is printed reads the same to Terraform, and its formatter has nothing to add."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shoal.deploy.terraform.printer import document, expression, quoted
from shoal.deploy.terraform.values import Block, Call, Noted, Raw, Text, block, items
from tests.deploy.terraform.terraform import evaluated, unformatted

_CHARACTERS = st.characters(codec="utf-8") | st.characters(codec="utf-8", exclude_categories=["Cn", "Co"])
"""Any, and more often such as mean something: marks and signs that join their neighbours."""

_TEXTS = st.text(_CHARACTERS, max_size=12) | st.sampled_from(
    ("${a}", "$${a}", "%{if}", "$", "\\", '"', "e\u0301", "\u212b", "a\nb", "\x00", "${", "for", "null", "x" * 90)
)
TEXTS = _TEXTS.map(lambda text: unicodedata.normalize("NFC", text))
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS | st.sampled_from((0.5, -1.25, 3.0))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
BATCH = st.lists(VALUES, min_size=60, max_size=60)


@given(BATCH)
@settings(max_examples=2, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
def test_terraform_reads_what_was_meant_and_has_nothing_to_format(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("printed")
    locals_ = Block(kind="locals", body=items({"x": [Noted(value, "Why.") for value in values], "y": 1}))
    whole = document([locals_, Block(kind="locals", body=items({"z": Call("jsonencode", (values,))}))], head=("A.",))
    (folder / "main.tf").write_text(whole, "utf-8")
    assert not unformatted(folder)
    wanted = [_plain(value) for value in values]
    assert evaluated(folder, "x") == wanted
    assert json.loads(evaluated(folder, "z")) == wanted


def _plain(value: Any) -> Any:
    """Return the value as it is read back: 3.0 is 3."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@given(TEXTS)
def test_no_text_holds_an_expression(text: str) -> None:
    written = quoted(text)
    assert "\n" not in written
    assert "${" not in written.replace("$${", "")
    assert "%{" not in written.replace("%%{", "")


def test_expressions_stand_in_text_where_they_are_meant() -> None:
    assert expression(Text(("a ${b} ", Raw("local.c"), '"'))) == '"a $${b} ${local.c}\\""'
    assert expression(Text(("a $", Raw("local.c"), "%", "{b}"))) == r'"a \u0024${local.c}\u0025{b}"'
    assert expression(Call("max", (1, Raw("var.x")))) == "max(1, var.x)"


def test_no_number_is_infinite() -> None:
    with pytest.raises(ValueError, match="no number"):
        expression(float("inf"))


def test_it_reads_like_written_by_hand(tmp_path: Path) -> None:
    text = document(
        [
            Block(
                kind="resource",
                labels=("aws_sqs_queue", "orders"),
                notes=("What orders hears.",),
                body=items(
                    {
                        "name": "orders.fifo",
                        "fifo_queue": True,
                        "redrive": Call("jsonencode", ({"count": 5, "target": Raw("aws_sqs_queue.dead.arn")},)),
                        "tags": {"a": 1, "long-name": "b", "dot.ted": []},
                        "delay": Noted(0, "None: an event is heard at once."),
                    },
                    block("timeouts", create="1m"),
                    Block(kind="lifecycle"),
                ),
            ),
            block("variable", "x", type=Raw("string")),
        ],
        head=("Written by a test.",),
    )
    assert text == WANTED
    (tmp_path / "main.tf").write_text(text, "utf-8")
    assert not unformatted(tmp_path)


WANTED = """\
# Written by a test.

# What orders hears.
resource "aws_sqs_queue" "orders" {
  name       = "orders.fifo"
  fifo_queue = true
  redrive = jsonencode({
    count  = 5
    target = aws_sqs_queue.dead.arn
  })
  tags = {
    a         = 1
    long-name = "b"
    "dot.ted" = []
  }
  # None: an event is heard at once.
  delay = 0

  timeouts {
    create = "1m"
  }

  lifecycle {}
}

variable "x" {
  type = string
}
"""
