"""The shop's smoke test: what a customer and a clerk do first, and where it is kept then."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shoal import tokens
from shoal.testing.http import Client
from tests.deploy.aws.applied import Cloud
from tests.deploy.aws.front import client
from tests.live import shopping
from tests.live.shopping import Customer, end_of, sign_in, until

CANDLE = "HOM-0132"
PICTURE = b"\xff\xd8\xff a photograph" * 1000
ENDS = {"tok_visa": "CONFIRMED", "tok_declined": "CANCELLED"}


class Keys:
    """The shop's own pair of keys, which its owner makes once and fills in."""

    def __init__(self) -> None:
        self._private, self._public = tokens.generate()

    def texts(self) -> Mapping[str, str]:
        """Say what is filled in, by the name of the secret; databases of this machine have no certificates."""
        nobody = '{"keys":[]}'
        return {
            "users/signing-key": self._private.decode(), "all/jwks": self._public.decode(), "all/key-set": nobody,
            "all/authorities": "none here",
        }  # fmt: skip

    def token(self, role: str) -> str:
        """Sign a token as the service of users does."""
        signer = tokens.Signer(self._private, issuer="spiffe://shop/users", audience="shop")
        return signer.sign("somebody", time.time(), 600.0, {"roles": [role]})


async def order(shop: Client) -> tuple[str, str]:
    """Sign up, log in, order, and wait until one order is confirmed and one refused: by events through every service.

    Returns:
        The customer's address, and the order that is confirmed.
    """
    customer, confirmed = await sign_in(shop), ""
    for card, end in ENDS.items():
        number = await _placed(shop, customer, card)
        assert (await end_of(shop, customer, number, within=90.0))["status"] == end
        confirmed = confirmed or number
    return customer.email, confirmed


async def _placed(shop: Client, customer: Customer, card: str) -> str:
    """Place an order, and once more by the same key while services that came up a moment ago take too long."""

    async def taken() -> str | None:
        answer = await shopping.order(shop, customer, card=card, key=f"{customer.email}-{card}")
        assert answer.status in (201, 503, 504), answer.body
        return str(answer.json()["order_id"]) if answer.status == 201 else None

    return await until(taken, within=60.0, what="an order to be taken")


async def hang(cloud: Cloud, shop: Client, token: str) -> None:
    """Put a picture of a product into the bucket, past the services, and see it where the product says it is."""
    wanted = {"type": "image/jpeg", "size": len(PICTURE)}
    answer = await shop.post(f"/products/{CANDLE}/pictures/tickets", json=wanted, token=token)
    assert answer.status == 201, answer.body
    ticket = answer.json()
    async with client("") as browser:
        put = await browser.send("PUT", ticket["url"], ticket["headers"], PICTURE)
        assert (put.status, b"explicit deny" in put.body) == (403, True), "a bucket answers nobody without TLS"
        bucket = urlsplit(ticket["url"]).path.split("/")[1]
        await cloud.ask("s3", "delete_bucket_policy", Bucket=bucket)  # the emulator has no TLS
        put = await browser.send("PUT", ticket["url"], ticket["headers"], PICTURE)
        assert put.status == 200, put.body
        hung = await shop.post(f"/products/{CANDLE}/pictures", json={"name": ticket["name"]}, token=token)
        assert hung.status == 204, hung.body

        async def shown() -> str | None:
            images = (await shop.get(f"/v2/products/{CANDLE}")).json()["images"]
            return images[-1] if images else None

        seen = await browser.send("GET", await until(shown, within=60.0, what="the picture"), {}, b"")
        assert seen.body == PICTURE


async def kept(cloud: Cloud, table: str, number: str) -> None:
    """Find the order in the table that was applied."""
    found = await cloud.ask("dynamodb", "scan", TableName=table)
    assert number in repr(found["Items"]), f"{table} does not know the order {number}"


async def mailed(endpoint: str, address: str) -> None:
    """Wait for the letter that confirms the order, as the emulator of SES took it."""
    async with client(endpoint) as emulator:

        async def taken() -> Any:
            letters = (await emulator.get("/_ministack/ses/messages")).json()["messages"]
            return address in msgspec.json.encode(letters).decode() or None

        await until(taken, within=60.0, what=f"a letter to {address}")
