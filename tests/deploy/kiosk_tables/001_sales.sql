create table sales (paper text primary key, times bigint not null);
