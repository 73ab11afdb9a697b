create table orders (
    id text primary key,
    customer text not null,
    sku text not null,
    quantity integer not null,
    total bigint not null
);
