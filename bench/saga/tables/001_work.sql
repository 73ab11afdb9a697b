create table work (
    id text primary key,
    saga text not null,
    step text not null
);
