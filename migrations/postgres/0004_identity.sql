-- One data key a person, wrapped by the key file. Every personal field of the person is sealed under it, so deleting
-- this row erases them all.
CREATE TABLE subject_key (
    account_id  UUID NOT NULL PRIMARY KEY REFERENCES account (account_id),
    wrapped_key BYTEA NOT NULL CHECK (LENGTH(wrapped_key) > 60), -- root version, nonce, 32 bytes and their tag
    created_at  TIMESTAMPTZ NOT NULL
);

-- Who agreed to which text and when.
CREATE TABLE consent (
    consent_id   UUID NOT NULL PRIMARY KEY,
    leaf_id      UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    account_id   UUID NOT NULL REFERENCES account (account_id),
    purpose      TEXT NOT NULL CHECK (purpose IN ('identity')),
    text_version TEXT NOT NULL,         -- as listed by GET /v1/consent-texts
    text_sha256  BYTEA NOT NULL CHECK (LENGTH(text_sha256) = 32), -- proves which words were agreed to
    given_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (consent_id, account_id)     -- so that a case can only rest on its own person's consent
);

CREATE INDEX consent_by_account ON consent (account_id); -- a person asks what they agreed to

CREATE TRIGGER consent_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON consent
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- One attempt to verify a person, with its present state.
CREATE TABLE identity_case (
    verification_id  UUID NOT NULL PRIMARY KEY,
    leaf_id          UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id), -- of its submission
    account_id       UUID NOT NULL REFERENCES account (account_id),
    consent_id       UUID NOT NULL,     -- no case without one
    method           TEXT NOT NULL CHECK (method IN ('chip', 'oidc', 'document_review')),
    status           TEXT NOT NULL CHECK (status IN (
                         'created', 'collecting', 'processing', 'needs_input', 'in_review', 'proposed', 'verified',
                         'rejected', 'suspended', 'expired', 'revoked', 'canceled')),
    level            TEXT NOT NULL CHECK (level IN ('L0', 'L1', 'L2', 'L3', 'L4')),
    document_ordinal BIGINT,           -- the document that counts; null for methods without one
    proposal_leaf_id UUID, -- what is staged
    reason_code      TEXT,              -- why it was decided, revoked or ended
    version          BIGINT NOT NULL,  -- counts the changes
    created_at       TIMESTAMPTZ NOT NULL,
    decided_at       TIMESTAMPTZ,
    expires_at       TIMESTAMPTZ,              -- first instant at which the verification no longer holds
    FOREIGN KEY (consent_id, account_id) REFERENCES consent (consent_id, account_id),
    CHECK ((status = 'proposed') = (proposal_leaf_id IS NOT NULL)),
    CHECK (status NOT IN ('verified', 'suspended') OR (expires_at IS NOT NULL AND level <> 'L0'))
);

-- A person has one open case at a time.
CREATE UNIQUE INDEX identity_case_open ON identity_case (account_id)
    WHERE status IN ('created', 'collecting', 'processing', 'needs_input', 'in_review', 'proposed');
-- A person has one verification in force at a time; a newer one takes the older one's place.
CREATE UNIQUE INDEX identity_case_in_force ON identity_case (account_id) WHERE status IN ('verified', 'suspended');
CREATE INDEX identity_case_by_account ON identity_case (account_id, verification_id); -- own list, standing
CREATE INDEX identity_case_by_status ON identity_case (status, verification_id);      -- officers' list
CREATE INDEX identity_case_due ON identity_case (expires_at) WHERE status = 'verified'; -- the expiry job

-- What the person declared, sealed field by field. A correction is a further row.
CREATE TABLE identity_document (
    verification_id      UUID NOT NULL REFERENCES identity_case (verification_id),
    ordinal              BIGINT NOT NULL,  -- 1, 2, … within the case
    leaf_id              UUID NOT NULL REFERENCES audit_leaf (leaf_id),
    kind                 TEXT NOT NULL CHECK (kind IN ('passport')),
    nationality_sealed   BYTEA NOT NULL CHECK (LENGTH(nationality_sealed) > 28), -- nonce, tag, at least a byte
    issuing_state_sealed BYTEA NOT NULL CHECK (LENGTH(issuing_state_sealed) > 28),
    number_sealed        BYTEA NOT NULL CHECK (LENGTH(number_sealed) > 28),
    full_name_sealed     BYTEA NOT NULL CHECK (LENGTH(full_name_sealed) > 28),
    date_of_birth_sealed BYTEA NOT NULL CHECK (LENGTH(date_of_birth_sealed) > 28),
    expires_on_sealed    BYTEA NOT NULL CHECK (LENGTH(expires_on_sealed) > 28),
    mrz_sealed           BYTEA NOT NULL CHECK (LENGTH(mrz_sealed) > 28),
    checks               TEXT NOT NULL,     -- JSON: what was checked by which rule and how it came out; no value
    submitted_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (verification_id, ordinal)
);

CREATE TRIGGER identity_document_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_document
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- Keyed tags of issuing state and number: they find the same document elsewhere and mean nothing without the key.
CREATE TABLE identity_document_index (
    verification_id UUID NOT NULL,
    ordinal         BIGINT NOT NULL,
    key_version     BIGINT NOT NULL,   -- root of the key file
    tag             BYTEA NOT NULL CHECK (LENGTH(tag) = 32),
    account_id      UUID NOT NULL REFERENCES account (account_id),
    PRIMARY KEY (verification_id, ordinal, key_version),
    FOREIGN KEY (verification_id, ordinal) REFERENCES identity_document (verification_id, ordinal)
);

CREATE INDEX identity_document_index_by_tag ON identity_document_index (tag, account_id); -- the same document elsewhere

-- What an officer proposed, and the evidence it rests on.
CREATE TABLE identity_proposal (
    leaf_id         UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    verification_id UUID NOT NULL REFERENCES identity_case (verification_id),
    outcome         TEXT NOT NULL CHECK (outcome IN ('verified', 'rejected')),
    reason_code     TEXT NOT NULL CHECK (reason_code IN (
                        'document_consistent', 'document_inconsistent', 'document_unreadable', 'person_mismatch',
                        'duplicate', 'other')),
    note_sealed     BYTEA CHECK (LENGTH(note_sealed) > 28),     -- may hold personal values
    fingerprint     BYTEA NOT NULL CHECK (LENGTH(fingerprint) = 32), -- keyed digest of evidence and checks
    proposed_by     UUID NOT NULL REFERENCES account (account_id),
    proposed_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (leaf_id, proposed_by)       -- lets the verdict carry its proposer and be held to it
);

CREATE INDEX identity_proposal_by_case ON identity_proposal (verification_id);

CREATE TRIGGER identity_proposal_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_proposal
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- Every turn that a case took after its submission.
CREATE TABLE identity_verdict (
    leaf_id          UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    verification_id  UUID NOT NULL REFERENCES identity_case (verification_id),
    kind             TEXT NOT NULL CHECK (kind IN (
                         'verified', 'rejected', 'returned', 'revoked', 'expired', 'superseded')),
    reason_code      TEXT NOT NULL,
    proposal_leaf_id UUID,
    proposed_by      UUID,
    decided_by       UUID REFERENCES account (account_id), -- null where time or a newer verification decided
    note_sealed      BYTEA CHECK (LENGTH(note_sealed) > 28),
    decided_at       TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (proposal_leaf_id, proposed_by) REFERENCES identity_proposal (leaf_id, proposed_by),
    -- Four eyes: whoever proposed cannot decide.
    CHECK (kind NOT IN ('verified', 'rejected')
           OR (proposal_leaf_id IS NOT NULL AND proposed_by IS NOT NULL AND decided_by IS NOT NULL
               AND proposed_by <> decided_by)),
    CHECK (kind <> 'revoked' OR decided_by IS NOT NULL)
);

CREATE INDEX identity_verdict_by_case ON identity_verdict (verification_id, leaf_id);
CREATE UNIQUE INDEX identity_verdict_by_proposal ON identity_verdict (proposal_leaf_id); -- a proposal ends once

CREATE TRIGGER identity_verdict_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_verdict
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- The two tables refer to each other.
ALTER TABLE identity_case ADD CONSTRAINT identity_case_staged
    FOREIGN KEY (proposal_leaf_id) REFERENCES identity_proposal (leaf_id);
