"""An event does not say which version of itself it is.

## What it does

Looks in documents of AsyncAPI for messages whose version nothing says: not their name (`orders.placed.v1`,
`OrderPlacedV2`), not their channel, no header or field (`version`, `schemaVersion`, `dataschema`, a `type` that ends in
one), no number of a registry of schemas (`schemaIdLocation`) and no `x-version`. One that several documents tell of is
found where it is sent. The version of the document is none: it says nothing about a message that was sent before. What
goes to who is connected (WebSocket, a queue that is not durable) or is a request and its reply is no event.

## Why

Events are kept and read later, by services that are released at other times. One that has to change without a version
breaks every reader at once, and nobody can tell old ones from new ones. Events of Shoal always have a version.

## Bad

```yaml title="asyncapi.yaml"
asyncapi: 3.0.0
info:
  title: orders
  version: 1.4.0
channels:
  placed:
    address: orders.placed
    messages:
      OrderPlaced:  # <- SH606
        payload:
          type: object
          properties:
            order_id:
              type: string
operations:
  sendPlaced:
    action: send
    channel:
      $ref: "#/channels/placed"
```

## Good

```yaml title="asyncapi.yaml"
asyncapi: 3.0.0
info:
  title: orders
  version: 1.4.0
channels:
  placed:
    address: orders.placed.v1
    messages:
      OrderPlaced:
        payload:
          type: object
          properties:
            order_id:
              type: string
operations:
  sendPlaced:
    action: send
    channel:
      $ref: "#/channels/placed"
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find messages without a version."""
    messages = subject.imported.messages if subject.imported is not None else ()
    sent = {(message.channel, message.name) for message in messages if message.sent}
    for message in messages:
        heard = not message.sent and (message.channel, message.name) in sent
        if message.version == "" and not heard:
            what = f" ({message.name})" if message.name and message.name != message.channel else ""
            yield Finding(
                where=message.where,
                message=f"nothing says which version of {message.channel}{what} this is",
                impact="a change of it breaks every reader at once, and old ones look like new ones",
                help="name it with its version, such as orders.placed.v1, or add a header that says it",
            )


RULE = Rule(
    code="SH606",
    name="event-without-version",
    severity="warning",
    summary="an event does not say which version of itself it is",
    page=__doc__,
    find=find,
    needs=frozenset({"messages"}),
)
