-- Why each order was owed to whom, as last decided. Its row is also the lock that settling and releasing take.
CREATE TABLE attribution (
    order_id   BLOB NOT NULL PRIMARY KEY REFERENCES customer_order (order_id),
    lock_count INTEGER NOT NULL DEFAULT 0, -- counting it up is the lock on both engines; nothing reads it
    trace      TEXT NOT NULL,              -- JSON: candidates, tests, winner, arithmetic; no buyer, no click row
    decided_at TEXT NOT NULL               -- when the trace last changed
) STRICT;

-- What an affiliate earned by an order: one row for each link that was ever its winner. Money in minor units.
CREATE TABLE commission (
    commission_id       BLOB NOT NULL PRIMARY KEY,
    order_id            BLOB NOT NULL REFERENCES attribution (order_id),
    link_id             BLOB NOT NULL REFERENCES link (link_id),
    via                 TEXT NOT NULL CHECK (via IN ('click_token', 'referral_code', 'landing_url', 'known_customer')),
    affiliate_id        BLOB NOT NULL REFERENCES account (account_id), -- the link's owner: who may read it
    shop_id             BLOB NOT NULL REFERENCES shop (shop_id),
    shop_owner_id       BLOB NOT NULL REFERENCES account (account_id), -- who may read it for the shop
    program_id          BLOB NOT NULL,
    program_version     INTEGER NOT NULL,  -- the terms that apply
    currency            TEXT NOT NULL,
    base_minor          INTEGER NOT NULL CHECK (base_minor >= 0),   -- goods that remain
    rate_bps            INTEGER NOT NULL CHECK (rate_bps BETWEEN 0 AND 10000),
    earned_minor        INTEGER NOT NULL CHECK (earned_minor >= 0), -- before any refund
    amount_minor        INTEGER NOT NULL,  -- what stands; the ledger's net of this commission
    status              TEXT NOT NULL CHECK (status IN
                            ('pending', 'approved', 'processed', 'paid', 'held', 'reversed', 'refunded', 'canceled')),
    hold_until          TEXT,              -- when it may be released; null while unpaid
    pending_transfer_id BLOB REFERENCES ledger_transfer (transfer_id), -- unresolved; null when nothing is pending
    posted_at           TEXT,              -- when the hold ended; from then on winner and rate stand
    revision            INTEGER NOT NULL,  -- counts changes; names the booking of each
    created_at          TEXT NOT NULL,
    changed_at          TEXT NOT NULL,
    leaf_id             BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- of the last change
    FOREIGN KEY (program_id, program_version) REFERENCES program_version (program_id, version),
    UNIQUE (order_id, link_id),
    CHECK (amount_minor BETWEEN 0 AND earned_minor),                -- never more than earned, never negative
    CHECK (amount_minor <= base_minor),
    CHECK (status NOT IN ('reversed', 'refunded', 'canceled') OR amount_minor = 0),
    CHECK (pending_transfer_id IS NULL OR (status = 'pending' AND amount_minor > 0)),
    CHECK (status NOT IN ('approved', 'processed', 'paid', 'held') OR posted_at IS NOT NULL)
) STRICT;

-- One sale is owed to one link: whatever once stood beside it is reversed.
CREATE UNIQUE INDEX commission_one_winner ON commission (order_id) WHERE status <> 'reversed';
-- What is to be released, by when.
CREATE INDEX commission_due ON commission (hold_until) WHERE status = 'pending' AND hold_until IS NOT NULL;
-- An affiliate lists their own, newest first.
CREATE INDEX commission_by_affiliate ON commission (affiliate_id, commission_id);
-- A shop's owner lists theirs, newest first.
CREATE INDEX commission_by_shop_owner ON commission (shop_owner_id, commission_id);

-- What was taken back of a commission, or given back where the amount is negative. Earned less these is what stands.
CREATE TABLE commission_reversal (
    reversal_id   BLOB NOT NULL PRIMARY KEY,
    commission_id BLOB NOT NULL REFERENCES commission (commission_id),
    amount_minor  INTEGER NOT NULL CHECK (amount_minor <> 0),
    reason        TEXT NOT NULL CHECK (reason IN
                      ('refunded', 'order_canceled', 'attribution_changed', 'order_changed', 'restored')),
    recorded_at   TEXT NOT NULL,
    leaf_id       BLOB NOT NULL REFERENCES audit_leaf (leaf_id) -- no leaf, no reversal
) STRICT;

-- A commission shows its reversals in order.
CREATE INDEX commission_reversal_by_commission ON commission_reversal (commission_id, reversal_id);

-- History is not edited.
CREATE TRIGGER commission_reversal_keeps_rows BEFORE DELETE ON commission_reversal
BEGIN SELECT RAISE(ABORT, 'reversals are never deleted'); END;
CREATE TRIGGER commission_reversal_keeps_values BEFORE UPDATE ON commission_reversal
BEGIN SELECT RAISE(ABORT, 'reversals are never changed'); END;
CREATE TRIGGER commission_keeps_rows BEFORE DELETE ON commission
BEGIN SELECT RAISE(ABORT, 'commissions are never deleted'); END;
