CREATE TABLE orders (
    order_id       text PRIMARY KEY,
    customer_id    text NOT NULL,
    lines          jsonb NOT NULL,
    total          bigint NOT NULL CHECK (total > 0),
    currency       text NOT NULL,
    payment_method text NOT NULL,
    status         text NOT NULL,
    reason         text,
    facts          jsonb NOT NULL,
    version        bigint NOT NULL,
    placed_at      timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);

CREATE INDEX orders_by_customer ON orders (customer_id, placed_at DESC, order_id);
