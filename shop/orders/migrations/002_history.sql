ALTER TABLE orders ADD COLUMN announced bigint NOT NULL DEFAULT 1;
UPDATE orders SET announced = CASE status WHEN 'RETURNED' THEN 3 WHEN 'PENDING' THEN 1 WHEN 'PAID' THEN 1 ELSE 2 END;

-- Read models, made of events: shoal projections rebuild order-history
CREATE TABLE order_history (
    order_id    text PRIMARY KEY,
    customer_id text NOT NULL,
    outcome     text NOT NULL,
    reason      text,
    pieces      bigint NOT NULL,
    total       bigint NOT NULL,
    currency    text NOT NULL,
    placed_at   timestamptz NOT NULL,
    ended_at    timestamptz
);

CREATE INDEX order_history_by_customer ON order_history (customer_id, placed_at DESC, order_id);

CREATE TABLE customer_totals (
    customer_id text PRIMARY KEY,
    orders      bigint NOT NULL,
    confirmed   bigint NOT NULL,
    cancelled   bigint NOT NULL,
    returned    bigint NOT NULL,
    spent       jsonb NOT NULL
);
