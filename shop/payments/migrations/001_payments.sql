CREATE TABLE payments (
    order_id    text PRIMARY KEY,
    customer_id text NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    currency    text NOT NULL,
    status      text NOT NULL,
    charge_id   text UNIQUE,
    refund_id   text UNIQUE,
    reason      text,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE ledger (
    entry_id  text PRIMARY KEY,
    order_id  text NOT NULL,
    account   text NOT NULL,
    amount    bigint NOT NULL CHECK (amount <> 0),
    currency  text NOT NULL,
    booked_at timestamptz NOT NULL
);

CREATE INDEX ledger_by_order ON ledger (order_id);
