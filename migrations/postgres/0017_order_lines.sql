-- What screening said of the lines of orders before any commission was granted on them. A line is screened once for
-- each text it ever had, so that settling an order again, on later lists, does not take back what was rightly earned.
CREATE TABLE order_line_screening (
    order_id       UUID NOT NULL,        -- named without a foreign key: the record outlives a rebuilt projection
    line_id        TEXT NOT NULL,        -- the platform's id of the line
    text_sha256    BYTEA NOT NULL,       -- of what was screened
    outcome        TEXT NOT NULL CHECK (outcome IN ('clear', 'refused', 'in_review', 'unscreened')),
    grounds        TEXT NOT NULL,        -- JSON list; empty when clear or unscreened
    list_versions  TEXT NOT NULL,        -- JSON object: list to version; empty when unscreened
    engine_version BIGINT NOT NULL,      -- of the rules that screened
    screened_at    TIMESTAMPTZ NOT NULL,
    ruling         TEXT CHECK (ruling IN ('clear', 'refused')), -- an officer's word on a line that does not earn
    ruled_at       TIMESTAMPTZ,
    is_settled     BOOLEAN NOT NULL,     -- whether the order's commission follows the row; false asks for another settling
    leaf_id        UUID REFERENCES audit_leaf (leaf_id), -- no leaf, no refusal
    PRIMARY KEY (order_id, line_id, text_sha256),
    CHECK (outcome IN ('clear', 'unscreened') OR leaf_id IS NOT NULL),
    CHECK ((ruling IS NULL) = (ruled_at IS NULL)),
    CHECK (ruling IS NULL OR outcome IN ('refused', 'in_review'))
);

-- What a worker still has to settle.
CREATE INDEX order_line_screening_unsettled ON order_line_screening (order_id) WHERE NOT is_settled;

-- What was found is history; only a ruling, a later screening of what could not be screened, and its settling are added.
CREATE TRIGGER order_line_screening_keeps_rows BEFORE DELETE OR TRUNCATE ON order_line_screening
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER order_line_screening_keeps_values BEFORE UPDATE ON order_line_screening
    FOR EACH ROW
    WHEN (OLD.order_id IS DISTINCT FROM NEW.order_id
       OR OLD.line_id IS DISTINCT FROM NEW.line_id
       OR OLD.text_sha256 IS DISTINCT FROM NEW.text_sha256
       OR (OLD.outcome <> 'unscreened' AND (OLD.outcome IS DISTINCT FROM NEW.outcome
                                            OR OLD.grounds IS DISTINCT FROM NEW.grounds
                                            OR OLD.leaf_id IS DISTINCT FROM NEW.leaf_id))
       OR (OLD.ruling IS NOT NULL AND OLD.ruling IS DISTINCT FROM NEW.ruling))
    EXECUTE FUNCTION history_is_kept();
