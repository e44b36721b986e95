-- People and firms that sign in. E-mail and name are sealed; the address is found again by a keyed index.
CREATE TABLE account (
    account_id          BLOB NOT NULL PRIMARY KEY,
    status              TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    email_sealed        BLOB NOT NULL,   -- personal: never in clear
    email_index         BLOB NOT NULL,   -- keyed digest of the normal form: one account per address
    display_name_sealed BLOB NOT NULL,   -- personal: never in clear
    password_hash       TEXT NOT NULL,   -- PHC string; holds its own cost, so that costs can rise
    created_at          TEXT NOT NULL,
    leaf_id             BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no account
    password_leaf_id    BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- of what set the present password
    status_leaf_id      BLOB REFERENCES audit_leaf (leaf_id),          -- of the latest suspension or its end
    CHECK (status = 'active' OR status_leaf_id IS NOT NULL)
) STRICT;

-- Sign-in looks an address up; two accounts never share one.
CREATE UNIQUE INDEX account_by_email ON account (email_index);

-- What an account may do. Staff roles are given by the operator alone.
CREATE TABLE account_role (
    account_id BLOB NOT NULL REFERENCES account (account_id),
    role       TEXT NOT NULL CHECK (role IN ('affiliate', 'livestreamer', 'shop', 'admin', 'compliance_officer', 'finance', 'auditor')),
    PRIMARY KEY (account_id, role)
) STRICT;

-- A sign-in: one family of refresh tokens. Every request reads its row, so ending it here ends it at once.
CREATE TABLE session (
    session_id  BLOB NOT NULL PRIMARY KEY,
    account_id  BLOB NOT NULL REFERENCES account (account_id),
    created_at  TEXT NOT NULL,
    expires_at  TEXT NOT NULL,           -- absolute: refreshing does not move it
    rotations   INTEGER NOT NULL DEFAULT 0, -- bounded, so that a family cannot fill the disk
    ended_at    TEXT,
    end_reason  TEXT CHECK (end_reason IN ('signed_out', 'refresh_reused', 'password_changed', 'suspended', 'crowded_out', 'worn_out')),
    end_leaf_id BLOB REFERENCES audit_leaf (leaf_id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    -- Ends that somebody else caused are security events and keep their leaf.
    CHECK (end_reason NOT IN ('refresh_reused', 'password_changed', 'suspended') OR end_leaf_id IS NOT NULL)
) STRICT;

-- Ending all sessions of an account, newest kept longest.
CREATE INDEX session_by_account ON session (account_id, session_id);
-- Retention deletes by age.
CREATE INDEX session_by_end ON session (expires_at);

-- The chain of a session's refresh tokens; the secret itself is never stored.
CREATE TABLE refresh_token (
    token_digest     BLOB NOT NULL PRIMARY KEY, -- SHA-256 of 256 random bits
    session_id       BLOB NOT NULL REFERENCES session (session_id),
    issued_at        TEXT NOT NULL,          -- idle time counts from here
    replaced_at      TEXT,                   -- null while it is the live one
    successor_digest BLOB,                      -- what it was exchanged for
    CHECK ((replaced_at IS NULL) = (successor_digest IS NULL))
) STRICT;

-- However many requests race, a session has one live token.
CREATE UNIQUE INDEX refresh_token_live ON refresh_token (session_id) WHERE replaced_at IS NULL;
-- Retention deletes a session's chain.
CREATE INDEX refresh_token_by_session ON refresh_token (session_id);

-- Keys for programs.
CREATE TABLE api_key (
    api_key_id     BLOB NOT NULL PRIMARY KEY,     -- public part of the key
    account_id     BLOB NOT NULL REFERENCES account (account_id),
    name           TEXT NOT NULL,               -- the owner's label
    secret_digest  BLOB NOT NULL,               -- SHA-256; 256 random bits need no slow hash
    scopes         TEXT NOT NULL,               -- words, blank between
    created_at     TEXT NOT NULL,
    last_used_day  TEXT,                        -- day in Asia/Ho_Chi_Minh: enough to find dead keys, one write a day
    revoked_at     TEXT,
    leaf_id        BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no key
    revoke_leaf_id BLOB REFERENCES audit_leaf (leaf_id),
    CHECK ((revoked_at IS NULL) = (revoke_leaf_id IS NULL))
) STRICT;

-- An owner's list, newest first.
CREATE INDEX api_key_by_account ON api_key (account_id, api_key_id);
