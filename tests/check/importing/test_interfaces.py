"""What documents of OpenAPI and AsyncAPI tell: who may ask for what, and which version of an event it is."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of, written

OPENAPI = """\
openapi: 3.1.0
info: {title: Orders API, version: 1.0.0}
SECURITY
paths:
  /orders:
    post:
      summary: Place an order.
      OWN
    get: {}
"""


@pytest.mark.parametrize(
    ("usual", "own", "open_"),
    [
        ("", "", True),
        ("security: []", "", True),
        ("security: [{key: []}]", "", False),
        ("security: [{key: []}]", "security: []", True),
        ("security: [{key: []}, {}]", "", True),  # one of the ways in asks for nothing
        ("", "security: [{key: []}]", False),
    ],
)
def test_what_anybody_may_change(tmp_path: Path, usual: str, own: str, open_: bool) -> None:
    text = OPENAPI.replace("SECURITY", usual).replace("OWN", own)
    report = report_of(tmp_path, {"openapi/orders.yaml": text}, "SH401")
    assert found(report) == ([("SH401", "openapi/orders.yaml:6")] if open_ else [])


def test_json_is_read_too_and_an_operation_has_to_say_what_it_does(tmp_path: Path) -> None:
    paths = '{"/a": {\n\t\t"get": {"description": "\\ud83d\\ude00"},\n\t\t"put": {}\n}}'
    text = f'{{\n\t"swagger": "2.0", "info": {{"title": "x"}},\n\t"paths": {paths}}}'
    report = report_of(tmp_path, {"api/stock.json": text}, "SH603")
    assert found(report) == [("SH603", "api/stock.json:5")]
    assert report.findings[0].message == "PUT /a of stock says nowhere what it does"


def test_a_document_is_about_the_service_that_is_called_so(tmp_path: Path) -> None:
    compose = "services:\n  order-service:\n    image: acme/orders\n    ports: ['80']\n"
    orders = OPENAPI.replace("SECURITY\n", "").replace("      OWN\n", "").replace("Orders API", "Order Service")
    files = {"compose.yaml": compose, "docs/v1/api.yaml": orders}
    report = report_of(tmp_path, files, "SH401")
    assert report.services == 1
    assert "of order-service:" in report.findings[0].message
    files["compose.yaml"] = compose.replace("    ports: ['80']\n", "")  # nobody outside can ask
    assert report_of(tmp_path, files, "SH401").findings == ()


SECOND = """\
asyncapi: 2.6.0
info: {title: orders, version: 3.0.0}
channels:
  CHANNEL:
    subscribe:
      message:
        oneOf:
          - $ref: '#/components/messages/NAME'
components:
  messages:
    NAME:
      headers: {type: object, properties: {HEADER: {const: CONST}}}
      payload: {$ref: '#/components/schemas/placed'}
  schemas:
    placed: {type: object, properties: {FIELD: {type: integer}}}
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", ""),
        ("CHANNEL", "orders/v2/placed"),
        ("CHANNEL", "acme.orders.1.0.placed"),
        ("CHANNEL", "acme/orders/1/0/placed"),
        ("NAME", "OrderPlacedV2"),
        ("HEADER", "schemaVersion"),
        ("FIELD", "version"),
        ("CONST", "orders.placed.v2"),
    ],
)
def test_what_says_the_version_of_an_event(tmp_path: Path, name: str, value: str) -> None:
    text = SECOND.replace(name, value) if name else SECOND
    text = text.replace("CHANNEL", "orders/placed").replace("NAME", "OrderPlaced")
    text = text.replace("HEADER", "type").replace("CONST", "orders.placed").replace("FIELD", "order_id")
    report = report_of(tmp_path, {"asyncapi.yaml": text}, "SH606")
    assert found(report) == ([] if name else [("SH606", "asyncapi.yaml:8")])


THIRD = """\
asyncapi: 3.0.0
info: {title: orders, version: 3.0.0}
servers: {one: {host: example, protocol: PROTOCOL}}
channels:
  placed:
    messages: {OrderPlaced: {payload: {type: object}}}
    bindings: {amqp: {is: queue, queue: {durable: DURABLE}}}
operations:
  placing: {action: send, channel: {$ref: '#/channels/placed'}REPLY}
"""


@pytest.mark.parametrize(
    ("protocol", "reply", "durable", "event"),
    [
        ("kafka", "", "true", True),
        ("wss", "", "true", False),
        ("amqp", "", "false", False),
        ("kafka", ", reply: {channel: {$ref: '#/channels/other'}}", "true", False),
    ],
)
def test_what_is_part_of_a_conversation_is_no_event(
    tmp_path: Path, protocol: str, reply: str, durable: str, event: bool
) -> None:
    text = THIRD.replace("PROTOCOL", protocol).replace("REPLY", reply).replace("DURABLE", durable)
    report = report_of(tmp_path, {"asyncapi.yaml": text}, "SH606")
    assert found(report) == ([("SH606", "asyncapi.yaml:6")] if event else [])


@pytest.mark.parametrize(
    ("common", "lines"),
    [
        ("placed: {payload: {type: object}}", [6]),
        ("placed: {payload: {$ref: '#/schema'}}\nschema: {properties: {version: {type: string}}}", []),
        ("placed: {payload: {$ref: 'http://schemas.example/x.json'}}", []),  # nobody knows
        ("placed: [", []),
        (None, []),
    ],
)
def test_messages_in_other_files_are_followed(tmp_path: Path, common: str | None, lines: list[int]) -> None:
    text = THIRD.replace("PROTOCOL", "kafka").replace("REPLY", "").replace("{payload: {type: object}}", "MESSAGE")
    written(tmp_path, {"common/messages.yaml": common} if common is not None else {})
    text = text.replace("MESSAGE", "{$ref: '../common/messages.yaml#/placed'}")
    report = report_of(tmp_path, {"orders/asyncapi.yaml": text}, "SH606")
    assert [finding.where.line for finding in report.findings] == lines


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$ref: paths.yaml#/~1orders", "api/paths.yaml:2"),
        ("$ref: '#/components/pathItems/orders%7Bid%7D'", "api/openapi.yaml:7"),
        ("$ref: '#/components/pathItems/again'", "api/openapi.yaml:7"),
        ("$ref: '#/components/pathItems/circle'", ""),
        ("$ref: '#/components/none'", ""),
        ("$ref: none.yaml", ""),
        ("$ref: https://api.example/paths.yaml", ""),
    ],
)
def test_paths_may_be_elsewhere(tmp_path: Path, path: str, place: str) -> None:
    text = f"""\
openapi: 3.1.0
info: {{title: orders, version: 1.0.0}}
paths: {{/orders: {{{path}}}}}
components:
  pathItems:
    orders{{id}}:
      post: {{summary: Place an order.}}
    again: {{$ref: '#/components/pathItems/orders%7Bid%7D'}}
    circle: {{$ref: '#/components/pathItems/circle'}}
"""
    written(tmp_path, {"api/paths.yaml": "/orders:\n  post: {summary: Place an order.}\n"})
    report = report_of(tmp_path, {"api/openapi.yaml": text}, "SH401")
    assert found(report) == ([("SH401", place)] if place else [])


PARTS = """\
asyncapi: 3.0.0
info: {title: orders, version: 1.0.0}
channels:
  placed: {$ref: '#/components/channels/placed'}
operations:
  placing: {$ref: '#/components/operations/placing'}
  hearing: {action: receive, channel: {$ref: '#/channels/placed'}}
components:
  channels:
    placed:
      address: orders.placed
      messages:
        OrderPlaced: {MESSAGE}
  operations:
    placing: {action: send, channel: {$ref: '#/channels/placed'}}
  messageTraits:
    versioned: {headers: {properties: {schemaVersion: {type: string}}}}
  schemas:
    envelope: {allOf: [{$ref: '#/components/schemas/versioned'}, {$ref: '#/components/schemas/envelope'}]}
    versioned: {properties: {version: {type: integer}}}
    plain: {properties: {order_id: {type: string}}}
"""


@pytest.mark.parametrize(
    ("message", "found_"),
    [
        ("payload: {$ref: '#/components/schemas/plain'}", True),
        ("payload: {$ref: '#/components/schemas/envelope'}", False),
        ("payload: {oneOf: [{$ref: '#/components/schemas/versioned'}]}", False),
        ("payload: {schemaFormat: application/schema+json, schema: {$ref: '#/components/schemas/versioned'}}", False),
        ("payload: {schemaFormat: application/schema+json, schema: {$ref: '#/components/schemas/plain'}}", True),
        ("traits: [{$ref: '#/components/messageTraits/versioned'}]", False),
        ("bindings: {kafka: {schemaIdLocation: payload}}", False),
        ("bindings: {kafka: {key: {type: string}}}", True),
        ("payload: {allOf: [{$ref: 'https://schemas.example/envelope'}]}", False),  # nobody knows
        ("payload: {$ref: '#/components/schemas/none'}", False),
    ],
)
def test_messages_are_put_together_of_parts(tmp_path: Path, message: str, found_: bool) -> None:
    report = report_of(tmp_path, {"asyncapi.yaml": PARTS.replace("MESSAGE", message)}, "SH606")
    assert found(report) == ([("SH606", "asyncapi.yaml:13")] if found_ else [])


def test_who_sends_and_hears_on_one_channel_sends(tmp_path: Path) -> None:
    message = PARTS.replace("MESSAGE", "payload: {type: object}")
    listener = message.replace("title: orders", "title: audit").replace("action: send", "action: receive")
    report = report_of(tmp_path, {"audit.yaml": listener, "orders.yaml": message}, "SH606")
    assert found(report) == [("SH606", "orders.yaml:13")]


def test_rules_that_need_more_are_not_asked(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"openapi.yaml": OPENAPI.replace("SECURITY\n", "").replace("      OWN\n", "")})
    unasked = {rule.code: rule.needs for rule in report.unasked}
    assert {"SH401", "SH603"} <= set(report.asked)
    assert unasked["SH101"] == ("calls",)
    assert unasked["SH701"] == ("sizes",)
    assert unasked["SH606"] == ("messages",)
    assert unasked["SH309"] == ("manifests",)
    assert unasked["SH504"] == ("declarations",)
    assert unasked["SH403"] == ("source",)
