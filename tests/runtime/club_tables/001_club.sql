CREATE TABLE members (
    member_id text PRIMARY KEY, email text NOT NULL, email_find text UNIQUE, age text, name text NOT NULL
);
CREATE TABLE readers (member_id text PRIMARY KEY, email text NOT NULL);
CREATE TABLE letters (member_id text PRIMARY KEY, email text NOT NULL);
