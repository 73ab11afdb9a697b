CREATE TABLE runs (due timestamptz NOT NULL);
