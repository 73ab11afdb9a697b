CREATE TABLE preferences (
    user_id  text PRIMARY KEY,
    language text NOT NULL,
    kinds    jsonb NOT NULL
);
