-- What is personal is sealed by the service; an account is found by a keyed hash of its address, which belongs to one only.
ALTER TABLE users ADD COLUMN email_find text UNIQUE;
