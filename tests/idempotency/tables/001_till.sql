CREATE TABLE sales (
    id     text PRIMARY KEY,
    mark   text NOT NULL,
    amount bigint NOT NULL
);
