CREATE TABLE products (
    sku         text PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL,
    category    text NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    currency    text NOT NULL
);

CREATE INDEX products_by_category ON products (category, name);
CREATE INDEX products_by_name ON products (name);
