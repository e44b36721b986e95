-- One effect per Idempotency-Key. A row is claimed and answered in the business transaction.
CREATE TABLE idempotency (
    scope          TEXT NOT NULL,         -- caller and operation
    key_digest     BLOB NOT NULL,          -- keyed digest: a key may be guessable
    request_digest BLOB NOT NULL,          -- keyed digest: the body may hold a password
    status         INTEGER,               -- HTTP status, null until the commit
    answer         BLOB,                   -- sealed: answers may hold tokens
    claimed_at     TEXT NOT NULL,
    PRIMARY KEY (scope, key_digest)
) STRICT;

-- Retention deletes by age.
CREATE INDEX idempotency_by_age ON idempotency (claimed_at);

-- Announcements to the other nodes, committed with their cause.
CREATE TABLE outbox (
    announcement_id BLOB NOT NULL PRIMARY KEY,
    topic           TEXT NOT NULL,
    subject         TEXT NOT NULL,
    recorded_at     TEXT NOT NULL
) STRICT;

-- Every node asks by time.
CREATE INDEX outbox_by_time ON outbox (recorded_at, announcement_id);
