-- Accounts: whose money, for what, in which currency. A balance is never stored; it is the sum of transfers.
CREATE TABLE ledger_account (
    account_id BLOB NOT NULL PRIMARY KEY,
    purpose    TEXT NOT NULL,                     -- a word of the account plan
    owner      TEXT NOT NULL,                     -- prefixed id of the shop or person
    currency   TEXT NOT NULL,                     -- ISO 4217; one ledger per currency
    authorises INTEGER NOT NULL,                  -- boolean: locked and checked, may never fall below zero
    lock_count INTEGER NOT NULL DEFAULT 0,        -- counting it up is the lock on both engines; nothing reads it
    opened_at  TEXT NOT NULL,
    UNIQUE (purpose, owner, currency),            -- one account per party, purpose and currency
    UNIQUE (account_id, currency)                 -- what a transfer's legs refer to, so none mixes currencies
) STRICT;

-- Balances are asked for by owner.
CREATE INDEX ledger_account_by_owner ON ledger_account (owner, purpose, currency);

-- Transfers: one amount from a debited to a credited account, so debits equal credits by construction.
CREATE TABLE ledger_transfer (
    transfer_id       BLOB NOT NULL PRIMARY KEY,
    debit_account_id  BLOB NOT NULL,
    credit_account_id BLOB NOT NULL,
    currency          TEXT NOT NULL,
    amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0 AND amount_minor <= 9007199254740991),
    kind              TEXT NOT NULL CHECK (kind IN ('pending', 'posted', 'post_pending', 'void_pending')),
    pending_id        BLOB REFERENCES ledger_transfer (transfer_id), -- the pending transfer that this one resolves
    source_event      TEXT NOT NULL,              -- what caused it: prefixed id of the caller's row
    idempotency_key   TEXT NOT NULL,              -- the caller's name for this posting of that cause
    line              INTEGER NOT NULL CHECK (line >= 0), -- place in the posting; all lines or none
    effective_at      TEXT NOT NULL,              -- when it happened in the world
    recorded_at       TEXT NOT NULL,              -- when we wrote it
    leaf_id           BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no transfer
    CHECK (debit_account_id <> credit_account_id),
    CHECK ((kind IN ('post_pending', 'void_pending')) = (pending_id IS NOT NULL)),
    UNIQUE (pending_id),                          -- resolved at most once
    UNIQUE (source_event, idempotency_key, line), -- the same posting again is the same posting
    FOREIGN KEY (debit_account_id, currency) REFERENCES ledger_account (account_id, currency),
    FOREIGN KEY (credit_account_id, currency) REFERENCES ledger_account (account_id, currency)
) STRICT;

-- Balances are summed from the index alone.
CREATE INDEX ledger_transfer_by_debit ON ledger_transfer (debit_account_id, kind, amount_minor);
CREATE INDEX ledger_transfer_by_credit ON ledger_transfer (credit_account_id, kind, amount_minor);

-- A resolution repeats what it resolves: the same legs, the same amount, and that was pending.
CREATE TRIGGER ledger_transfer_resolves_what_is_pending BEFORE INSERT ON ledger_transfer
WHEN NEW.pending_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM ledger_transfer AS resolved
    WHERE resolved.transfer_id = NEW.pending_id
      AND resolved.kind = 'pending'
      AND resolved.debit_account_id = NEW.debit_account_id
      AND resolved.credit_account_id = NEW.credit_account_id
      AND resolved.currency = NEW.currency
      AND resolved.amount_minor = NEW.amount_minor
)
BEGIN SELECT RAISE(ABORT, 'a resolution must repeat the pending transfer it resolves'); END;

-- History is not edited.
CREATE TRIGGER ledger_transfer_keeps_rows BEFORE DELETE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger transfers are never deleted'); END;
CREATE TRIGGER ledger_transfer_keeps_values BEFORE UPDATE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger transfers are never changed'); END;
CREATE TRIGGER ledger_account_keeps_rows BEFORE DELETE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger accounts are never deleted'); END;
CREATE TRIGGER ledger_account_keeps_values
BEFORE UPDATE OF account_id, purpose, owner, currency, authorises, opened_at ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger accounts are never changed'); END;
