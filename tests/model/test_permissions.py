"""The least a service can have and still work; tests/drivers/test_nats.py works with just this."""

from shoal.model.permissions import Rights, permissions
from shoal.model.plan import BrokerPlan, ConsumerPlan


def test_a_service_may_publish_its_events_and_use_its_own_consumers() -> None:
    plan = BrokerPlan(
        engine="nats",
        user="order-history",
        stream="SHOP_ORDER-HISTORY",
        publish=("shop.event.order-history.kept.v1.*", "shop.dead.order-history"),
        consumers=(
            ConsumerPlan(stream="SHOP_CARTS", durable="order_history-0", subjects=("shop.event.carts.>",), ack_wait=30),
        ),
    )
    assert permissions(plan) == Rights(
        publish=(
            "$JS.ACK.SHOP_CARTS.order_history-0.>",
            "$JS.API.CONSUMER.MSG.NEXT.SHOP_CARTS.order_history-0",
            "$JS.API.CONSUMER.RESET.SHOP_CARTS.order_history-0",
            "$JS.API.STREAM.INFO.SHOP_ORDER-HISTORY",
            "shop.dead.order-history",
            "shop.event.order-history.kept.v1.*",
        ),
        subscribe=("_INBOX_order-history.>",),
    )


def test_a_service_that_only_publishes_hears_its_acknowledgements() -> None:
    assert permissions(BrokerPlan(engine="nats", user="a", publish=("s",))) == Rights(
        publish=("s",), subscribe=("_INBOX_a.>",)
    )
