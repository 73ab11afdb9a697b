CREATE TABLE recipients (
    user_id text PRIMARY KEY,
    name    text NOT NULL,
    email   text NOT NULL
);

CREATE TABLE notifications (
    message_id text PRIMARY KEY,
    user_id    text NOT NULL,
    order_id   text NOT NULL,
    subject    text NOT NULL,
    outcome    text NOT NULL,
    sent_at    timestamptz NOT NULL
);

CREATE INDEX notifications_by_user ON notifications (user_id, sent_at DESC, message_id);
