create table bookings (id text primary key, what text not null);
