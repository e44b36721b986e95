-- One effect per Idempotency-Key. A row is claimed and answered in the business transaction.
CREATE TABLE idempotency (
    scope          TEXT NOT NULL,         -- caller and operation
    key_digest     BYTEA NOT NULL,          -- keyed digest: a key may be guessable
    request_digest BYTEA NOT NULL,          -- keyed digest: the body may hold a password
    status         BIGINT,               -- HTTP status, null until the commit
    answer         BYTEA,                   -- sealed: answers may hold tokens
    claimed_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, key_digest)
);

-- Retention deletes by age.
CREATE INDEX idempotency_by_age ON idempotency (claimed_at);

-- Announcements to the other nodes, committed with their cause.
CREATE TABLE outbox (
    announcement_id UUID NOT NULL PRIMARY KEY,
    topic           TEXT NOT NULL,
    subject         TEXT NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL
);

-- Every node asks by time.
CREATE INDEX outbox_by_time ON outbox (recorded_at, announcement_id);
