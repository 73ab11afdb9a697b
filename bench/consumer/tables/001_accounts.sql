create table accounts (
    id text primary key,
    orders integer not null,
    total bigint not null
);
