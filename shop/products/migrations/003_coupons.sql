CREATE TABLE coupons (
    code    text PRIMARY KEY,
    percent bigint NOT NULL CHECK (percent BETWEEN 1 AND 100),
    least   bigint NOT NULL,
    until   text NOT NULL
);
