CREATE TABLE shelves (
    sku       text PRIMARY KEY,
    received  bigint NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL CHECK (reserved >= 0),
    sold      bigint NOT NULL CHECK (sold >= 0),
    CHECK (received = available + reserved + sold)
);

CREATE TABLE reservations (
    order_id text PRIMARY KEY,
    stage    text NOT NULL,
    wanted   jsonb NOT NULL,
    paid     boolean NOT NULL
);
