-- Orders of authorities, the queue of cases that wait for an officer, appeals, and what officers ruled.

-- What decisions hold and a change of the standing orders takes first, so that neither passes the other unseen.
CREATE TABLE authority_head (
    head    TEXT NOT NULL PRIMARY KEY CHECK (head = 'orders'),
    version INTEGER NOT NULL                   -- how often the standing orders changed
) STRICT;
INSERT INTO authority_head (head, version) VALUES ('orders', 0);

-- What a competent authority demands. What it says never changes; what became of it is derived from its acts.
CREATE TABLE authority_order (
    order_id        BLOB NOT NULL PRIMARY KEY,
    agency          TEXT NOT NULL,          -- as written on the document
    document_number TEXT NOT NULL,          -- as written on the document
    agency_key      TEXT NOT NULL,          -- both in one spelling: the same document is recorded once
    number_key      TEXT NOT NULL,
    action          TEXT NOT NULL CHECK (action IN ('refuse', 'take_down', 'provide_information')),
    note_sealed     BLOB,                   -- the officer's words; the leaf has only their digest
    received_at     TEXT NOT NULL,          -- when the authority's document arrived
    due_at          TEXT NOT NULL,          -- by the dated rule in rule_id
    rule_id         TEXT NOT NULL,
    recorded_at     TEXT NOT NULL,
    recorded_by     TEXT NOT NULL,          -- prefixed account id
    status          TEXT NOT NULL CHECK (status IN ('open', 'answered', 'closed')),
    refuses         INTEGER NOT NULL,       -- whether new requests that it names are refused
    taken_down      INTEGER NOT NULL CHECK (taken_down >= 0),
    met_at          TEXT,                   -- first answer or closing: from here on nothing is due
    overdue_at      TEXT,                   -- when it was found overdue; stays for ever
    reminded        INTEGER NOT NULL CHECK (reminded >= 0), -- reminders recorded so far
    watch_at        TEXT,                   -- when the clock next asks for something; null once met
    leaf_id         BLOB NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((status = 'open') = (met_at IS NULL)),
    CHECK ((met_at IS NULL) = (watch_at IS NOT NULL)),
    CHECK (action <> 'provide_information' OR NOT refuses),
    UNIQUE (agency_key, number_key)
) STRICT;

-- Orders by state, newest first.
CREATE INDEX authority_order_by_status ON authority_order (status, order_id);
-- What the clock asks for next.
CREATE INDEX authority_order_by_watch ON authority_order (watch_at) WHERE watch_at IS NOT NULL;

-- What an order names.
CREATE TABLE authority_subject (
    order_id  BLOB NOT NULL REFERENCES authority_order (order_id),
    position  INTEGER NOT NULL,                -- in the order's list, from 0
    kind      TEXT NOT NULL CHECK (kind IN ('domain', 'shop', 'account', 'product', 'link')),
    value     TEXT NOT NULL,                -- a host name or a prefixed id
    match_key TEXT NOT NULL,                -- what a request is looked up by
    PRIMARY KEY (order_id, position)
) STRICT;

-- A decision asks for each thing of its request whether an order names it.
CREATE INDEX authority_subject_by_key ON authority_subject (match_key);

-- What was done about an order, in order.
CREATE TABLE authority_act (
    leaf_id       BLOB NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    order_id      BLOB NOT NULL REFERENCES authority_order (order_id),
    kind          TEXT NOT NULL CHECK (kind IN ('carried_out', 'evidence', 'answer', 'closing', 'reminder', 'overdue')),
    word          TEXT,                     -- kind of the evidence, outcome of the closing
    text_sealed   BLOB,                     -- the officer's words; the leaf has only their digest
    reference     TEXT,                     -- of a letter or a file
    sha256        BLOB,                     -- of the evidence, kept elsewhere
    link_count    INTEGER,                      -- links taken down, links that a reminder is about
    said_at       TEXT,                     -- when the answer was given, if not when it was recorded
    actor         TEXT NOT NULL,            -- prefixed account id, or the name of a job
    acted_at      TEXT NOT NULL
) STRICT;

CREATE INDEX authority_act_by_order ON authority_act (order_id, leaf_id);

-- What was asked for by a request that got no link at once: from it the link is made after all, if a person says so.
CREATE TABLE decision_request (
    decision_id BLOB NOT NULL PRIMARY KEY REFERENCES decision (decision_id),
    request     TEXT NOT NULL               -- JSON of whoever issues; no part of the verdict
) STRICT;

-- What waits for an officer.
CREATE TABLE review_case (
    case_id          BLOB NOT NULL PRIMARY KEY,
    about            TEXT NOT NULL CHECK (about IN ('request', 'live_link', 'product_edit', 'order_line')),
    thing            TEXT NOT NULL,         -- prefixed id; with the line for an order's line
    decision_id      BLOB UNIQUE REFERENCES decision (decision_id), -- of a request
    grounds          TEXT NOT NULL,         -- JSON list
    grounds_sha256   BLOB NOT NULL,         -- over codes and entries: the same doubt is one case
    status           TEXT NOT NULL CHECK (status IN ('open', 'claimed', 'ruled')),
    due_at           TEXT NOT NULL,         -- by the dated rule in rule_id
    rule_id          TEXT NOT NULL,
    claimed_by       BLOB REFERENCES account (account_id),
    claim_expires_at TEXT,
    escalated_at     TEXT,                  -- when it was found overdue; stays for ever
    watch_at         TEXT,                  -- when the clock next asks for something; null once ruled
    opened_at        TEXT NOT NULL,
    opened_by        TEXT NOT NULL,         -- prefixed account id, or the name of a job
    ruled_at         TEXT,
    leaf_id          BLOB NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((about = 'request') = (decision_id IS NOT NULL)),
    CHECK ((status = 'claimed') = (claimed_by IS NOT NULL)),
    CHECK ((claimed_by IS NULL) = (claim_expires_at IS NULL)),
    CHECK ((status = 'ruled') = (ruled_at IS NOT NULL)),
    CHECK ((status = 'ruled') = (watch_at IS NULL))
) STRICT;

-- One open case for one doubt about one thing.
CREATE UNIQUE INDEX review_case_once ON review_case (about, thing, grounds_sha256) WHERE status <> 'ruled';
-- The queue, by state.
CREATE INDEX review_case_by_status ON review_case (status, case_id);
-- What the clock asks for next.
CREATE INDEX review_case_by_watch ON review_case (watch_at) WHERE watch_at IS NOT NULL;

-- What was done about a case, in order.
CREATE TABLE case_act (
    leaf_id     BLOB NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    case_id     BLOB NOT NULL REFERENCES review_case (case_id),
    kind        TEXT NOT NULL CHECK (kind IN ('claimed', 'released', 'claim_expired', 'noted', 'escalated')),
    text_sealed BLOB,                       -- a note; the leaf has only its digest
    is_shared   INTEGER NOT NULL,           -- whether the applicant may read the note
    actor       TEXT NOT NULL,              -- prefixed account id, or the name of a job
    acted_at    TEXT NOT NULL
) STRICT;

CREATE INDEX case_act_by_case ON case_act (case_id, leaf_id);

-- An applicant's protest against a refusal. One for each decision: the ruling on it is final.
CREATE TABLE appeal (
    appeal_id    BLOB NOT NULL PRIMARY KEY,
    decision_id  BLOB NOT NULL UNIQUE REFERENCES decision (decision_id),
    account_id   BLOB NOT NULL REFERENCES account (account_id),
    text_sealed  BLOB NOT NULL,             -- may tell about a person; the leaf has only its digest
    status       TEXT NOT NULL CHECK (status IN ('open', 'upheld', 'overturned')),
    due_at       TEXT NOT NULL,             -- by the dated rule in rule_id
    rule_id      TEXT NOT NULL,
    escalated_at TEXT,                      -- when it was found overdue; stays for ever
    watch_at     TEXT,                      -- when the clock next asks for something; null once ruled
    filed_at     TEXT NOT NULL,
    ruled_at     TEXT,
    leaf_id      BLOB NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((status = 'open') = (ruled_at IS NULL)),
    CHECK ((status = 'open') = (watch_at IS NOT NULL))
) STRICT;

-- One's own appeals, newest first.
CREATE INDEX appeal_by_account ON appeal (account_id, appeal_id);
CREATE INDEX appeal_by_status ON appeal (status, appeal_id);
-- What the clock asks for next.
CREATE INDEX appeal_by_watch ON appeal (watch_at) WHERE watch_at IS NOT NULL;

-- What a person ruled, on a case or on an appeal. A ruling leaves the decision it is about as it is and, where it
-- changes what follows from it, makes another.
CREATE TABLE ruling (
    ruling_id       BLOB NOT NULL PRIMARY KEY,
    case_id         BLOB UNIQUE REFERENCES review_case (case_id),
    appeal_id       BLOB UNIQUE REFERENCES appeal (appeal_id),
    decision_id     BLOB UNIQUE REFERENCES decision (decision_id), -- ruled on; a decision is ruled on once
    outcome         TEXT NOT NULL CHECK (outcome IN ('issued', 'refused', 'upheld', 'overturned')),
    text_sealed     BLOB NOT NULL,          -- the reasons, for the applicant; the leaf has only their digest
    new_decision_id BLOB UNIQUE REFERENCES decision (decision_id), -- what took its place
    link_id         BLOB UNIQUE REFERENCES link (link_id),         -- what was issued
    entry_id        BLOB REFERENCES list_entry (entry_id),         -- the entry that was taught an exception
    ruled_by        BLOB NOT NULL REFERENCES account (account_id), -- a person, never a job
    ruled_at        TEXT NOT NULL,
    leaf_id         BLOB NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK ((case_id IS NULL) <> (appeal_id IS NULL)),
    CHECK (case_id IS NULL OR outcome IN ('issued', 'refused')),
    CHECK (appeal_id IS NULL OR outcome IN ('upheld', 'overturned')),
    CHECK (appeal_id IS NULL OR decision_id IS NOT NULL),
    CHECK (link_id IS NULL OR new_decision_id IS NOT NULL),
    CHECK (outcome <> 'upheld' OR new_decision_id IS NULL)
) STRICT;

-- History is not edited.
CREATE TRIGGER authority_subject_keeps_rows BEFORE DELETE ON authority_subject
BEGIN SELECT RAISE(ABORT, 'authority_subject rows are never deleted'); END;
CREATE TRIGGER authority_subject_keeps_values BEFORE UPDATE ON authority_subject
BEGIN SELECT RAISE(ABORT, 'authority_subject rows are never changed'); END;
CREATE TRIGGER authority_act_keeps_rows BEFORE DELETE ON authority_act
BEGIN SELECT RAISE(ABORT, 'authority_act rows are never deleted'); END;
CREATE TRIGGER authority_act_keeps_values BEFORE UPDATE ON authority_act
BEGIN SELECT RAISE(ABORT, 'authority_act rows are never changed'); END;
CREATE TRIGGER decision_request_keeps_rows BEFORE DELETE ON decision_request
BEGIN SELECT RAISE(ABORT, 'decision_request rows are never deleted'); END;
CREATE TRIGGER decision_request_keeps_values BEFORE UPDATE ON decision_request
BEGIN SELECT RAISE(ABORT, 'decision_request rows are never changed'); END;
CREATE TRIGGER case_act_keeps_rows BEFORE DELETE ON case_act
BEGIN SELECT RAISE(ABORT, 'case_act rows are never deleted'); END;
CREATE TRIGGER case_act_keeps_values BEFORE UPDATE ON case_act
BEGIN SELECT RAISE(ABORT, 'case_act rows are never changed'); END;
CREATE TRIGGER ruling_keeps_rows BEFORE DELETE ON ruling
BEGIN SELECT RAISE(ABORT, 'ruling rows are never deleted'); END;
CREATE TRIGGER ruling_keeps_values BEFORE UPDATE ON ruling
BEGIN SELECT RAISE(ABORT, 'ruling rows are never changed'); END;
CREATE TRIGGER authority_order_keeps_rows BEFORE DELETE ON authority_order
BEGIN SELECT RAISE(ABORT, 'authority_order rows are never deleted'); END;
CREATE TRIGGER authority_order_keeps_values BEFORE UPDATE ON authority_order
WHEN NEW.order_id IS NOT OLD.order_id
  OR NEW.agency IS NOT OLD.agency
  OR NEW.document_number IS NOT OLD.document_number
  OR NEW.agency_key IS NOT OLD.agency_key
  OR NEW.number_key IS NOT OLD.number_key
  OR NEW.action IS NOT OLD.action
  OR NEW.note_sealed IS NOT OLD.note_sealed
  OR NEW.received_at IS NOT OLD.received_at
  OR NEW.due_at IS NOT OLD.due_at
  OR NEW.rule_id IS NOT OLD.rule_id
  OR NEW.recorded_at IS NOT OLD.recorded_at
  OR NEW.recorded_by IS NOT OLD.recorded_by
  OR NEW.leaf_id IS NOT OLD.leaf_id
BEGIN SELECT RAISE(ABORT, 'authority orders keep what they say'); END;
CREATE TRIGGER review_case_keeps_rows BEFORE DELETE ON review_case
BEGIN SELECT RAISE(ABORT, 'review_case rows are never deleted'); END;
CREATE TRIGGER review_case_keeps_values BEFORE UPDATE ON review_case
WHEN OLD.status = 'ruled'
  OR NEW.case_id IS NOT OLD.case_id
  OR NEW.about IS NOT OLD.about
  OR NEW.thing IS NOT OLD.thing
  OR NEW.decision_id IS NOT OLD.decision_id
  OR NEW.grounds IS NOT OLD.grounds
  OR NEW.grounds_sha256 IS NOT OLD.grounds_sha256
  OR NEW.due_at IS NOT OLD.due_at
  OR NEW.rule_id IS NOT OLD.rule_id
  OR NEW.opened_at IS NOT OLD.opened_at
  OR NEW.opened_by IS NOT OLD.opened_by
  OR NEW.leaf_id IS NOT OLD.leaf_id
BEGIN SELECT RAISE(ABORT, 'a case keeps what it is about, and a ruling is final'); END;
CREATE TRIGGER appeal_keeps_rows BEFORE DELETE ON appeal
BEGIN SELECT RAISE(ABORT, 'appeal rows are never deleted'); END;
CREATE TRIGGER appeal_keeps_values BEFORE UPDATE ON appeal
WHEN OLD.status <> 'open'
  OR NEW.appeal_id IS NOT OLD.appeal_id
  OR NEW.decision_id IS NOT OLD.decision_id
  OR NEW.account_id IS NOT OLD.account_id
  OR NEW.text_sealed IS NOT OLD.text_sealed
  OR NEW.due_at IS NOT OLD.due_at
  OR NEW.rule_id IS NOT OLD.rule_id
  OR NEW.filed_at IS NOT OLD.filed_at
  OR NEW.leaf_id IS NOT OLD.leaf_id
BEGIN SELECT RAISE(ABORT, 'an appeal keeps what it says, and its ruling is final'); END;
