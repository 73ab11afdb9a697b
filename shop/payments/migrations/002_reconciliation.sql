CREATE TABLE reconciliations (
    provider    text PRIMARY KEY,
    last_charge text NOT NULL,
    at          timestamptz NOT NULL
);

CREATE TABLE discrepancies (
    charge_id  text PRIMARY KEY,
    order_id   text NOT NULL,
    amount     bigint NOT NULL,
    currency   text NOT NULL,
    trouble    text NOT NULL,
    noticed_at timestamptz NOT NULL
);
