-- The lists a request for a link is screened against, as sequences of immutable versions, and the decisions made on them.

-- The version in force of each list. Decisions read these rows under a shared lock, changes update their row first,
-- so a decision and a change of a list never overlap unseen.
CREATE TABLE list_head (
    list       TEXT NOT NULL PRIMARY KEY CHECK (list IN ('banned-lines', 'violating-goods', 'suspended-goods',
                   'ad-prohibited-goods', 'flagged-commerce-platforms', 'flagged-digital-platforms',
                   'mlm-certificates')),
    version    INTEGER NOT NULL CHECK (version >= 0), -- 0 is the empty list nobody has filled yet
    sha256     BLOB NOT NULL,                      -- digest of that version; 32 zero bytes for version 0
    changed_at TEXT                               -- null until the first change
) STRICT;

INSERT INTO list_head (list, version, sha256) VALUES
    ('banned-lines', 0, zeroblob(32)),
    ('violating-goods', 0, zeroblob(32)),
    ('suspended-goods', 0, zeroblob(32)),
    ('ad-prohibited-goods', 0, zeroblob(32)),
    ('flagged-commerce-platforms', 0, zeroblob(32)),
    ('flagged-digital-platforms', 0, zeroblob(32)),
    ('mlm-certificates', 0, zeroblob(32));

-- One row for each version a list ever had.
CREATE TABLE list_version (
    list          TEXT NOT NULL REFERENCES list_head (list),
    version       INTEGER NOT NULL CHECK (version > 0),
    sha256        BLOB NOT NULL,  -- of the version before and of what changed: a chain nobody can edit unseen
    added_count   INTEGER NOT NULL,
    closed_count  INTEGER NOT NULL,
    made_at       TEXT NOT NULL, -- when we came to know it; entries carry when it is valid in law
    made_by       TEXT NOT NULL,  -- prefixed account id, or the name of a job
    leaf_id       BLOB NOT NULL REFERENCES audit_leaf (leaf_id),
    PRIMARY KEY (list, version)
) STRICT;

-- Snapshots taken in whole, also those that changed nothing.
CREATE TABLE list_import (
    import_id       BLOB NOT NULL PRIMARY KEY,
    list            TEXT NOT NULL REFERENCES list_head (list),
    list_version    INTEGER NOT NULL, -- in force after the import
    sha256          BLOB NOT NULL,   -- of the body as received
    added_count     INTEGER NOT NULL,
    removed_count   INTEGER NOT NULL,
    unchanged_count INTEGER NOT NULL,
    imported_at     TEXT NOT NULL,
    imported_by     TEXT NOT NULL,   -- prefixed account id, or the name of a job
    leaf_id         BLOB NOT NULL REFERENCES audit_leaf (leaf_id)
) STRICT;

-- Entries: never edited, never erased, only closed. Version v of a list is every entry with
-- added_in_version <= v that is not closed by v.
CREATE TABLE list_entry (
    entry_id          BLOB NOT NULL PRIMARY KEY,
    list              TEXT NOT NULL,
    added_in_version  INTEGER NOT NULL,
    closed_in_version INTEGER,           -- null while the entry stands
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
    source_issued_on  TEXT,
    effective_from    TEXT,             -- first legal day; null is always
    effective_to      TEXT,             -- last legal day; null is open
    FOREIGN KEY (list, added_in_version) REFERENCES list_version (list, version),
    FOREIGN KEY (list, closed_in_version) REFERENCES list_version (list, version),
    CHECK (closed_in_version > added_in_version),
    CHECK (effective_to >= effective_from)
) STRICT;

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
    decision_id    BLOB NOT NULL PRIMARY KEY,
    outcome        TEXT NOT NULL CHECK (outcome IN ('issued', 'refused', 'in_review')),
    account_id     BLOB NOT NULL,        -- who asked
    shop_id        BLOB NOT NULL,
    product_id     BLOB NOT NULL,
    actor          TEXT NOT NULL,          -- who acted: prefixed account id, or the name of a job
    input          TEXT NOT NULL,          -- canonical JSON: everything the outcome depends on beside the lists
    input_sha256   BLOB NOT NULL,          -- of input, checked by tinvia verify
    grounds        TEXT NOT NULL,          -- JSON list, empty only when issued
    list_versions  TEXT NOT NULL,          -- JSON object: list to version
    engine_version INTEGER NOT NULL,       -- of the rules that decided
    decided_at     TEXT NOT NULL,
    leaf_id        BLOB NOT NULL REFERENCES audit_leaf (leaf_id)
) STRICT;

-- Officers list refusals newest first, filtered by person or shop.
CREATE INDEX decision_by_outcome ON decision (outcome, decision_id);
CREATE INDEX decision_by_account ON decision (account_id, decision_id);
CREATE INDEX decision_by_shop ON decision (shop_id, decision_id);

-- The grounds once more, for finding decisions by ground, list or entry.
CREATE TABLE decision_ground (
    decision_id BLOB NOT NULL REFERENCES decision (decision_id),
    position    INTEGER NOT NULL,  -- in the decision's list, from 0
    code        TEXT NOT NULL,
    list        TEXT,            -- null where the ground comes from no list
    entry_id    BLOB REFERENCES list_entry (entry_id),
    PRIMARY KEY (decision_id, position)
) STRICT;

CREATE INDEX decision_ground_by_code ON decision_ground (code, decision_id);
CREATE INDEX decision_ground_by_list ON decision_ground (list, decision_id);
CREATE INDEX decision_ground_by_entry ON decision_ground (entry_id);

-- History is not edited.
CREATE TRIGGER list_version_keeps_rows BEFORE DELETE ON list_version
BEGIN SELECT RAISE(ABORT, 'list_version rows are never deleted'); END;
CREATE TRIGGER list_version_keeps_values BEFORE UPDATE ON list_version
BEGIN SELECT RAISE(ABORT, 'list_version rows are never changed'); END;
CREATE TRIGGER list_import_keeps_rows BEFORE DELETE ON list_import
BEGIN SELECT RAISE(ABORT, 'list_import rows are never deleted'); END;
CREATE TRIGGER list_import_keeps_values BEFORE UPDATE ON list_import
BEGIN SELECT RAISE(ABORT, 'list_import rows are never changed'); END;
CREATE TRIGGER decision_keeps_rows BEFORE DELETE ON decision
BEGIN SELECT RAISE(ABORT, 'decision rows are never deleted'); END;
CREATE TRIGGER decision_keeps_values BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'decision rows are never changed'); END;
CREATE TRIGGER decision_ground_keeps_rows BEFORE DELETE ON decision_ground
BEGIN SELECT RAISE(ABORT, 'decision_ground rows are never deleted'); END;
CREATE TRIGGER decision_ground_keeps_values BEFORE UPDATE ON decision_ground
BEGIN SELECT RAISE(ABORT, 'decision_ground rows are never changed'); END;

-- An entry changes once: from standing to closed.
CREATE TRIGGER list_entry_keeps_rows BEFORE DELETE ON list_entry
BEGIN SELECT RAISE(ABORT, 'list entries are closed, never deleted'); END;
CREATE TRIGGER list_entry_keeps_values BEFORE UPDATE ON list_entry
WHEN OLD.closed_in_version IS NOT NULL
  OR NEW.entry_id IS NOT OLD.entry_id
  OR NEW.list IS NOT OLD.list
  OR NEW.added_in_version IS NOT OLD.added_in_version
  OR NEW.match_kind IS NOT OLD.match_kind
  OR NEW.match_value IS NOT OLD.match_value
  OR NEW.match_key IS NOT OLD.match_key
  OR NEW.exceptions IS NOT OLD.exceptions
  OR NEW.effect IS NOT OLD.effect
  OR NEW.reason IS NOT OLD.reason
  OR NEW.source_authority IS NOT OLD.source_authority
  OR NEW.source_document IS NOT OLD.source_document
  OR NEW.source_url IS NOT OLD.source_url
  OR NEW.source_issued_on IS NOT OLD.source_issued_on
  OR NEW.effective_from IS NOT OLD.effective_from
  OR NEW.effective_to IS NOT OLD.effective_to
BEGIN SELECT RAISE(ABORT, 'list entries are closed, never changed'); END;

-- Heads stay and only go forward.
CREATE TRIGGER list_head_keeps_rows BEFORE DELETE ON list_head
BEGIN SELECT RAISE(ABORT, 'lists are never deleted'); END;
CREATE TRIGGER list_head_goes_forward BEFORE UPDATE ON list_head
WHEN NEW.version < OLD.version OR NEW.list IS NOT OLD.list
BEGIN SELECT RAISE(ABORT, 'a list never goes back to an older version'); END;
