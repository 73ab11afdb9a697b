CREATE TABLE users (
    user_id       text PRIMARY KEY,
    email         text NOT NULL,
    name          text NOT NULL,
    password_hash text NOT NULL,
    roles         jsonb NOT NULL,
    signed_up_at  timestamptz NOT NULL
);

CREATE TABLE addresses (
    address text PRIMARY KEY,
    user_id text NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED
);
