-- The leaves of the audit log: one for each decision, verdict, takedown, list change, ledger transaction, staff act.
-- Every table of acts refers to its leaf, so no act exists without one. The Merkle tree over these leaves reads
-- them in id order and never changes them.
CREATE TABLE audit_leaf (
    leaf_id     UUID NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,           -- what happened, e.g. decision.refused
    act_id      TEXT NOT NULL,           -- prefixed id of the row it is about
    subject     TEXT,                    -- pseudonym of the person or shop concerned
    recorded_at TIMESTAMPTZ NOT NULL,
    body        BYTEA NOT NULL,            -- version byte, then canonical JSON; no personal value
    body_sha256 BYTEA NOT NULL             -- of body, checked by tinvia verify
);

CREATE INDEX audit_leaf_by_subject ON audit_leaf (subject, leaf_id);
CREATE INDEX audit_leaf_by_kind ON audit_leaf (kind, leaf_id);
CREATE INDEX audit_leaf_by_act ON audit_leaf (act_id, leaf_id);

-- What turns an id into its pseudonym. Erasing the row erases the meaning and leaves the leaves provable.
CREATE TABLE audit_salt (
    subject_id TEXT NOT NULL PRIMARY KEY, -- prefixed id
    salt       BYTEA NOT NULL               -- 16 random bytes
);

-- Refuses any change to a table whose rows are history; used by every such table.
CREATE FUNCTION history_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME;
END
$$;

-- History is not edited.
CREATE TRIGGER audit_leaf_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
