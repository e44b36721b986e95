-- Orders of authorities, the queue of cases that wait for an officer, appeals, and what officers ruled.

-- What decisions hold and a change of the standing orders takes first, so that neither passes the other unseen.
CREATE TABLE authority_head (
    head    TEXT NOT NULL PRIMARY KEY CHECK (head = 'orders'),
    version BIGINT NOT NULL                   -- how often the standing orders changed
);
INSERT INTO authority_head (head, version) VALUES ('orders', 0);

-- What a competent authority demands. What it says never changes; what became of it is derived from its acts.
CREATE TABLE authority_order (
    order_id        UUID NOT NULL PRIMARY KEY,
    agency          TEXT NOT NULL,          -- as written on the document
    document_number TEXT NOT NULL,          -- as written on the document
    agency_key      TEXT NOT NULL,          -- both in one spelling: the same document is recorded once
    number_key      TEXT NOT NULL,
    action          TEXT NOT NULL CHECK (action IN ('refuse', 'take_down', 'provide_information')),
    note_sealed     BYTEA,                   -- the officer's words; the leaf has only their digest
    received_at     TIMESTAMPTZ NOT NULL,          -- when the authority's document arrived
    due_at          TIMESTAMPTZ NOT NULL,          -- by the dated rule in rule_id
    rule_id         TEXT NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL,
    recorded_by     TEXT NOT NULL,          -- prefixed account id
    status          TEXT NOT NULL CHECK (status IN ('open', 'answered', 'closed')),
    refuses         BOOLEAN NOT NULL,       -- whether new requests that it names are refused
    taken_down      BIGINT NOT NULL CHECK (taken_down >= 0),
    met_at          TIMESTAMPTZ,                   -- first answer or closing: from here on nothing is due
    overdue_at      TIMESTAMPTZ,                   -- when it was found overdue; stays for ever
    reminded        BIGINT NOT NULL CHECK (reminded >= 0), -- reminders recorded so far
    watch_at        TIMESTAMPTZ,                   -- when the clock next asks for something; null once met
    leaf_id         UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((status = 'open') = (met_at IS NULL)),
    CHECK ((met_at IS NULL) = (watch_at IS NOT NULL)),
    CHECK (action <> 'provide_information' OR NOT refuses),
    UNIQUE (agency_key, number_key)
);

-- Orders by state, newest first.
CREATE INDEX authority_order_by_status ON authority_order (status, order_id);
-- What the clock asks for next.
CREATE INDEX authority_order_by_watch ON authority_order (watch_at) WHERE watch_at IS NOT NULL;

-- What an order names.
CREATE TABLE authority_subject (
    order_id  UUID NOT NULL REFERENCES authority_order (order_id),
    position  BIGINT NOT NULL,                -- in the order's list, from 0
    kind      TEXT NOT NULL CHECK (kind IN ('domain', 'shop', 'account', 'product', 'link')),
    value     TEXT NOT NULL,                -- a host name or a prefixed id
    match_key TEXT NOT NULL,                -- what a request is looked up by
    PRIMARY KEY (order_id, position)
);

-- A decision asks for each thing of its request whether an order names it.
CREATE INDEX authority_subject_by_key ON authority_subject (match_key);

-- What was done about an order, in order.
CREATE TABLE authority_act (
    leaf_id       UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    order_id      UUID NOT NULL REFERENCES authority_order (order_id),
    kind          TEXT NOT NULL CHECK (kind IN ('carried_out', 'evidence', 'answer', 'closing', 'reminder', 'overdue')),
    word          TEXT,                     -- kind of the evidence, outcome of the closing
    text_sealed   BYTEA,                     -- the officer's words; the leaf has only their digest
    reference     TEXT,                     -- of a letter or a file
    sha256        BYTEA,                     -- of the evidence, kept elsewhere
    link_count    BIGINT,                      -- links taken down, links that a reminder is about
    said_at       TIMESTAMPTZ,                     -- when the answer was given, if not when it was recorded
    actor         TEXT NOT NULL,            -- prefixed account id, or the name of a job
    acted_at      TIMESTAMPTZ NOT NULL
);

CREATE INDEX authority_act_by_order ON authority_act (order_id, leaf_id);

-- What was asked for by a request that got no link at once: from it the link is made after all, if a person says so.
CREATE TABLE decision_request (
    decision_id UUID NOT NULL PRIMARY KEY REFERENCES decision (decision_id),
    request     TEXT NOT NULL               -- JSON of whoever issues; no part of the verdict
);

-- What waits for an officer.
CREATE TABLE review_case (
    case_id          UUID NOT NULL PRIMARY KEY,
    about            TEXT NOT NULL CHECK (about IN ('request', 'live_link', 'product_edit', 'order_line')),
    thing            TEXT NOT NULL,         -- prefixed id; with the line for an order's line
    decision_id      UUID UNIQUE REFERENCES decision (decision_id), -- of a request
    grounds          TEXT NOT NULL,         -- JSON list
    grounds_sha256   BYTEA NOT NULL,         -- over codes and entries: the same doubt is one case
    status           TEXT NOT NULL CHECK (status IN ('open', 'claimed', 'ruled')),
    due_at           TIMESTAMPTZ NOT NULL,         -- by the dated rule in rule_id
    rule_id          TEXT NOT NULL,
    claimed_by       UUID REFERENCES account (account_id),
    claim_expires_at TIMESTAMPTZ,
    escalated_at     TIMESTAMPTZ,                  -- when it was found overdue; stays for ever
    watch_at         TIMESTAMPTZ,                  -- when the clock next asks for something; null once ruled
    opened_at        TIMESTAMPTZ NOT NULL,
    opened_by        TEXT NOT NULL,         -- prefixed account id, or the name of a job
    ruled_at         TIMESTAMPTZ,
    leaf_id          UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((about = 'request') = (decision_id IS NOT NULL)),
    CHECK ((status = 'claimed') = (claimed_by IS NOT NULL)),
    CHECK ((claimed_by IS NULL) = (claim_expires_at IS NULL)),
    CHECK ((status = 'ruled') = (ruled_at IS NOT NULL)),
    CHECK ((status = 'ruled') = (watch_at IS NULL))
);

-- One open case for one doubt about one thing.
CREATE UNIQUE INDEX review_case_once ON review_case (about, thing, grounds_sha256) WHERE status <> 'ruled';
-- The queue, by state.
CREATE INDEX review_case_by_status ON review_case (status, case_id);
-- What the clock asks for next.
CREATE INDEX review_case_by_watch ON review_case (watch_at) WHERE watch_at IS NOT NULL;

-- What was done about a case, in order.
CREATE TABLE case_act (
    leaf_id     UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    case_id     UUID NOT NULL REFERENCES review_case (case_id),
    kind        TEXT NOT NULL CHECK (kind IN ('claimed', 'released', 'claim_expired', 'noted', 'escalated')),
    text_sealed BYTEA,                       -- a note; the leaf has only its digest
    is_shared   BOOLEAN NOT NULL,           -- whether the applicant may read the note
    actor       TEXT NOT NULL,              -- prefixed account id, or the name of a job
    acted_at    TIMESTAMPTZ NOT NULL
);

CREATE INDEX case_act_by_case ON case_act (case_id, leaf_id);

-- An applicant's protest against a refusal. One for each decision: the ruling on it is final.
CREATE TABLE appeal (
    appeal_id    UUID NOT NULL PRIMARY KEY,
    decision_id  UUID NOT NULL UNIQUE REFERENCES decision (decision_id),
    account_id   UUID NOT NULL REFERENCES account (account_id),
    text_sealed  BYTEA NOT NULL,             -- may tell about a person; the leaf has only its digest
    status       TEXT NOT NULL CHECK (status IN ('open', 'upheld', 'overturned')),
    due_at       TIMESTAMPTZ NOT NULL,             -- by the dated rule in rule_id
    rule_id      TEXT NOT NULL,
    escalated_at TIMESTAMPTZ,                      -- when it was found overdue; stays for ever
    watch_at     TIMESTAMPTZ,                      -- when the clock next asks for something; null once ruled
    filed_at     TIMESTAMPTZ NOT NULL,
    ruled_at     TIMESTAMPTZ,
    leaf_id      UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((status = 'open') = (ruled_at IS NULL)),
    CHECK ((status = 'open') = (watch_at IS NOT NULL))
);

-- One's own appeals, newest first.
CREATE INDEX appeal_by_account ON appeal (account_id, appeal_id);
CREATE INDEX appeal_by_status ON appeal (status, appeal_id);
-- What the clock asks for next.
CREATE INDEX appeal_by_watch ON appeal (watch_at) WHERE watch_at IS NOT NULL;

-- What a person ruled, on a case or on an appeal. A ruling leaves the decision it is about as it is and, where it
-- changes what follows from it, makes another.
CREATE TABLE ruling (
    ruling_id       UUID NOT NULL PRIMARY KEY,
    case_id         UUID UNIQUE REFERENCES review_case (case_id),
    appeal_id       UUID UNIQUE REFERENCES appeal (appeal_id),
    decision_id     UUID UNIQUE REFERENCES decision (decision_id), -- ruled on; a decision is ruled on once
    outcome         TEXT NOT NULL CHECK (outcome IN ('issued', 'refused', 'upheld', 'overturned')),
    text_sealed     BYTEA NOT NULL,          -- the reasons, for the applicant; the leaf has only their digest
    new_decision_id UUID UNIQUE REFERENCES decision (decision_id), -- what took its place
    link_id         UUID UNIQUE REFERENCES link (link_id),         -- what was issued
    entry_id        UUID REFERENCES list_entry (entry_id),         -- the entry that was taught an exception
    ruled_by        UUID NOT NULL REFERENCES account (account_id), -- a person, never a job
    ruled_at        TIMESTAMPTZ NOT NULL,
    leaf_id         UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((case_id IS NULL) <> (appeal_id IS NULL)),
    CHECK (case_id IS NULL OR outcome IN ('issued', 'refused')),
    CHECK (appeal_id IS NULL OR outcome IN ('upheld', 'overturned')),
    CHECK (appeal_id IS NULL OR decision_id IS NOT NULL),
    CHECK (link_id IS NULL OR new_decision_id IS NOT NULL),
    CHECK (outcome <> 'upheld' OR new_decision_id IS NULL)
);

-- History is not edited.
CREATE TRIGGER authority_subject_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON authority_subject
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER authority_act_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON authority_act
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER decision_request_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_request
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER case_act_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON case_act
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER ruling_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ruling
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER authority_order_keeps_rows BEFORE DELETE OR TRUNCATE ON authority_order
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER authority_order_keeps_values BEFORE UPDATE ON authority_order
    FOR EACH ROW
    WHEN (NEW.order_id IS DISTINCT FROM OLD.order_id
       OR NEW.agency IS DISTINCT FROM OLD.agency
       OR NEW.document_number IS DISTINCT FROM OLD.document_number
       OR NEW.agency_key IS DISTINCT FROM OLD.agency_key
       OR NEW.number_key IS DISTINCT FROM OLD.number_key
       OR NEW.action IS DISTINCT FROM OLD.action
       OR NEW.note_sealed IS DISTINCT FROM OLD.note_sealed
       OR NEW.received_at IS DISTINCT FROM OLD.received_at
       OR NEW.due_at IS DISTINCT FROM OLD.due_at
       OR NEW.rule_id IS DISTINCT FROM OLD.rule_id
       OR NEW.recorded_at IS DISTINCT FROM OLD.recorded_at
       OR NEW.recorded_by IS DISTINCT FROM OLD.recorded_by
       OR NEW.leaf_id IS DISTINCT FROM OLD.leaf_id)
    EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER review_case_keeps_rows BEFORE DELETE OR TRUNCATE ON review_case
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER review_case_keeps_values BEFORE UPDATE ON review_case
    FOR EACH ROW
    WHEN (OLD.status = 'ruled'
       OR NEW.case_id IS DISTINCT FROM OLD.case_id
       OR NEW.about IS DISTINCT FROM OLD.about
       OR NEW.thing IS DISTINCT FROM OLD.thing
       OR NEW.decision_id IS DISTINCT FROM OLD.decision_id
       OR NEW.grounds IS DISTINCT FROM OLD.grounds
       OR NEW.grounds_sha256 IS DISTINCT FROM OLD.grounds_sha256
       OR NEW.due_at IS DISTINCT FROM OLD.due_at
       OR NEW.rule_id IS DISTINCT FROM OLD.rule_id
       OR NEW.opened_at IS DISTINCT FROM OLD.opened_at
       OR NEW.opened_by IS DISTINCT FROM OLD.opened_by
       OR NEW.leaf_id IS DISTINCT FROM OLD.leaf_id)
    EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER appeal_keeps_rows BEFORE DELETE OR TRUNCATE ON appeal
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER appeal_keeps_values BEFORE UPDATE ON appeal
    FOR EACH ROW
    WHEN (OLD.status <> 'open'
       OR NEW.appeal_id IS DISTINCT FROM OLD.appeal_id
       OR NEW.decision_id IS DISTINCT FROM OLD.decision_id
       OR NEW.account_id IS DISTINCT FROM OLD.account_id
       OR NEW.text_sealed IS DISTINCT FROM OLD.text_sealed
       OR NEW.due_at IS DISTINCT FROM OLD.due_at
       OR NEW.rule_id IS DISTINCT FROM OLD.rule_id
       OR NEW.filed_at IS DISTINCT FROM OLD.filed_at
       OR NEW.leaf_id IS DISTINCT FROM OLD.leaf_id)
    EXECUTE FUNCTION history_is_kept();

-- A tenant's lists are read behind a wall: one's own appeals.
GRANT SELECT ON appeal TO tinvia_tenant;
ALTER TABLE appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON appeal FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());
