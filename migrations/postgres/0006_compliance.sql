-- The lists a request for a link is screened against, as sequences of immutable versions, and the decisions made on them.

-- The version in force of each list. Decisions read these rows under a shared lock, changes update their row first,
-- so a decision and a change of a list never overlap unseen.
CREATE TABLE list_head (
    list       TEXT NOT NULL PRIMARY KEY CHECK (list IN ('banned-lines', 'violating-goods', 'suspended-goods',
                   'ad-prohibited-goods', 'flagged-commerce-platforms', 'flagged-digital-platforms',
                   'mlm-certificates')),
    version    BIGINT NOT NULL CHECK (version >= 0), -- 0 is the empty list nobody has filled yet
    sha256     BYTEA NOT NULL,                      -- digest of that version; 32 zero bytes for version 0
    changed_at TIMESTAMPTZ                               -- null until the first change
);

INSERT INTO list_head (list, version, sha256) VALUES
    ('banned-lines', 0, decode(repeat('00', 32), 'hex')),
    ('violating-goods', 0, decode(repeat('00', 32), 'hex')),
    ('suspended-goods', 0, decode(repeat('00', 32), 'hex')),
    ('ad-prohibited-goods', 0, decode(repeat('00', 32), 'hex')),
    ('flagged-commerce-platforms', 0, decode(repeat('00', 32), 'hex')),
    ('flagged-digital-platforms', 0, decode(repeat('00', 32), 'hex')),
    ('mlm-certificates', 0, decode(repeat('00', 32), 'hex'));

-- One row for each version a list ever had.
CREATE TABLE list_version (
    list          TEXT NOT NULL REFERENCES list_head (list),
    version       BIGINT NOT NULL CHECK (version > 0),
    sha256        BYTEA NOT NULL,  -- of the version before and of what changed: a chain nobody can edit unseen
    added_count   BIGINT NOT NULL,
    closed_count  BIGINT NOT NULL,
    made_at       TIMESTAMPTZ NOT NULL, -- when we came to know it; entries carry when it is valid in law
    made_by       TEXT NOT NULL,  -- prefixed account id, or the name of a job
    leaf_id       UUID NOT NULL REFERENCES audit_leaf (leaf_id),
    PRIMARY KEY (list, version)
);

-- Snapshots taken in whole, also those that changed nothing.
CREATE TABLE list_import (
    import_id       UUID NOT NULL PRIMARY KEY,
    list            TEXT NOT NULL REFERENCES list_head (list),
    list_version    BIGINT NOT NULL, -- in force after the import
    sha256          BYTEA NOT NULL,   -- of the body as received
    added_count     BIGINT NOT NULL,
    removed_count   BIGINT NOT NULL,
    unchanged_count BIGINT NOT NULL,
    imported_at     TIMESTAMPTZ NOT NULL,
    imported_by     TEXT NOT NULL,   -- prefixed account id, or the name of a job
    leaf_id         UUID NOT NULL REFERENCES audit_leaf (leaf_id)
);

-- Entries: never edited, never erased, only closed. Version v of a list is every entry with
-- added_in_version <= v that is not closed by v.
CREATE TABLE list_entry (
    entry_id          UUID NOT NULL PRIMARY KEY,
    list              TEXT NOT NULL,
    added_in_version  BIGINT NOT NULL,
    closed_in_version BIGINT,           -- null while the entry stands
    match_kind        TEXT NOT NULL CHECK (match_kind IN ('term', 'category', 'brand', 'gtin', 'registration_number',
                          'tax_code', 'domain', 'url')),
    match_value       TEXT NOT NULL,    -- as given
    match_key         TEXT NOT NULL,    -- normalised: what is compared
    exceptions        TEXT NOT NULL,    -- JSON list of phrases in which the term is innocent
    effect            TEXT NOT NULL CHECK (effect IN ('refuse', 'review')),
    reason            TEXT NOT NULL,
    source_authority  TEXT NOT NULL,
    source_document   TEXT,             -- document number, where there is one
    source_url        TEXT,
    source_issued_on  DATE,
    effective_from    DATE,             -- first legal day; null is always
    effective_to      DATE,             -- last legal day; null is open
    FOREIGN KEY (list, added_in_version) REFERENCES list_version (list, version),
    FOREIGN KEY (list, closed_in_version) REFERENCES list_version (list, version),
    CHECK (closed_in_version > added_in_version),
    CHECK (effective_to >= effective_from)
);

-- One live entry for one match: the second of two officers is told.
CREATE UNIQUE INDEX list_entry_live ON list_entry (list, match_kind, match_key) WHERE closed_in_version IS NULL;
-- Reading one version of one list, in pages.
CREATE INDEX list_entry_by_version ON list_entry (list, entry_id, added_in_version, closed_in_version);
-- Proving a version's digest from what it added and closed.
CREATE INDEX list_entry_by_addition ON list_entry (list, added_in_version);
CREATE INDEX list_entry_by_closing ON list_entry (list, closed_in_version);

-- Every answer to a request for a link. Accounts, shops and products are named without foreign keys: the record
-- outlives them. The input holds no personal data.
CREATE TABLE decision (
    decision_id    UUID NOT NULL PRIMARY KEY,
    outcome        TEXT NOT NULL CHECK (outcome IN ('issued', 'refused', 'in_review')),
    account_id     UUID NOT NULL,        -- who asked
    shop_id        UUID NOT NULL,
    product_id     UUID NOT NULL,
    actor          TEXT NOT NULL,          -- who acted: prefixed account id, or the name of a job
    input          TEXT NOT NULL,          -- canonical JSON: everything the outcome depends on beside the lists
    input_sha256   BYTEA NOT NULL,          -- of input, checked by tinvia verify
    grounds        TEXT NOT NULL,          -- JSON list, empty only when issued
    list_versions  TEXT NOT NULL,          -- JSON object: list to version
    engine_version BIGINT NOT NULL,       -- of the rules that decided
    decided_at     TIMESTAMPTZ NOT NULL,
    leaf_id        UUID NOT NULL REFERENCES audit_leaf (leaf_id)
);

-- Officers list refusals newest first, filtered by person or shop.
CREATE INDEX decision_by_outcome ON decision (outcome, decision_id);
CREATE INDEX decision_by_account ON decision (account_id, decision_id);
CREATE INDEX decision_by_shop ON decision (shop_id, decision_id);

-- The grounds once more, for finding decisions by ground, list or entry.
CREATE TABLE decision_ground (
    decision_id UUID NOT NULL REFERENCES decision (decision_id),
    position    BIGINT NOT NULL,  -- in the decision's list, from 0
    code        TEXT NOT NULL,
    list        TEXT,            -- null where the ground comes from no list
    entry_id    UUID REFERENCES list_entry (entry_id),
    PRIMARY KEY (decision_id, position)
);

CREATE INDEX decision_ground_by_code ON decision_ground (code, decision_id);
CREATE INDEX decision_ground_by_list ON decision_ground (list, decision_id);
CREATE INDEX decision_ground_by_entry ON decision_ground (entry_id);

-- History is not edited.
CREATE TRIGGER list_version_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON list_version
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER list_import_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON list_import
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER decision_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER decision_ground_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_ground
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- An entry changes once: from standing to closed.
CREATE FUNCTION list_entry_is_only_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_in_version IS NOT NULL
        OR NEW.entry_id IS DISTINCT FROM OLD.entry_id
        OR NEW.list IS DISTINCT FROM OLD.list
        OR NEW.added_in_version IS DISTINCT FROM OLD.added_in_version
        OR NEW.match_kind IS DISTINCT FROM OLD.match_kind
        OR NEW.match_value IS DISTINCT FROM OLD.match_value
        OR NEW.match_key IS DISTINCT FROM OLD.match_key
        OR NEW.exceptions IS DISTINCT FROM OLD.exceptions
        OR NEW.effect IS DISTINCT FROM OLD.effect
        OR NEW.reason IS DISTINCT FROM OLD.reason
        OR NEW.source_authority IS DISTINCT FROM OLD.source_authority
        OR NEW.source_document IS DISTINCT FROM OLD.source_document
        OR NEW.source_url IS DISTINCT FROM OLD.source_url
        OR NEW.source_issued_on IS DISTINCT FROM OLD.source_issued_on
        OR NEW.effective_from IS DISTINCT FROM OLD.effective_from
        OR NEW.effective_to IS DISTINCT FROM OLD.effective_to
    THEN
        RAISE EXCEPTION 'list entries are closed, never changed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER list_entry_keeps_rows BEFORE DELETE OR TRUNCATE ON list_entry
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER list_entry_keeps_values BEFORE UPDATE ON list_entry
    FOR EACH ROW EXECUTE FUNCTION list_entry_is_only_closed();

-- Heads stay and only go forward.
CREATE FUNCTION list_head_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version < OLD.version OR NEW.list IS DISTINCT FROM OLD.list THEN
        RAISE EXCEPTION 'a list never goes back to an older version';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER list_head_keeps_rows BEFORE DELETE OR TRUNCATE ON list_head
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER list_head_goes_forward BEFORE UPDATE ON list_head
    FOR EACH ROW EXECUTE FUNCTION list_head_goes_forward();
