-- Accounts: whose money, for what, in which currency. A balance is never stored; it is the sum of transfers.
CREATE TABLE ledger_account (
    account_id UUID NOT NULL PRIMARY KEY,
    purpose    TEXT NOT NULL,                     -- a word of the account plan
    owner      TEXT NOT NULL,                     -- prefixed id of the shop or person
    currency   TEXT NOT NULL,                     -- ISO 4217; one ledger per currency
    authorises BOOLEAN NOT NULL,                  -- locked and checked, may never fall below zero
    lock_count BIGINT NOT NULL DEFAULT 0,         -- counting it up is the lock on both engines; nothing reads it
    opened_at  TIMESTAMPTZ NOT NULL,
    UNIQUE (purpose, owner, currency),            -- one account per party, purpose and currency
    UNIQUE (account_id, currency)                 -- what a transfer's legs refer to, so none mixes currencies
);

-- Balances are asked for by owner.
CREATE INDEX ledger_account_by_owner ON ledger_account (owner, purpose, currency);

-- Transfers: one amount from a debited to a credited account, so debits equal credits by construction.
CREATE TABLE ledger_transfer (
    transfer_id       UUID NOT NULL PRIMARY KEY,
    debit_account_id  UUID NOT NULL,
    credit_account_id UUID NOT NULL,
    currency          TEXT NOT NULL,
    amount_minor      BIGINT NOT NULL CHECK (amount_minor > 0 AND amount_minor <= 9007199254740991),
    kind              TEXT NOT NULL CHECK (kind IN ('pending', 'posted', 'post_pending', 'void_pending')),
    pending_id        UUID REFERENCES ledger_transfer (transfer_id), -- the pending transfer that this one resolves
    source_event      TEXT NOT NULL,              -- what caused it: prefixed id of the caller's row
    idempotency_key   TEXT NOT NULL,              -- the caller's name for this posting of that cause
    line              BIGINT NOT NULL CHECK (line >= 0), -- place in the posting; all lines or none
    effective_at      TIMESTAMPTZ NOT NULL,       -- when it happened in the world
    recorded_at       TIMESTAMPTZ NOT NULL,       -- when we wrote it
    leaf_id           UUID NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no transfer
    CHECK (debit_account_id <> credit_account_id),
    CHECK ((kind IN ('post_pending', 'void_pending')) = (pending_id IS NOT NULL)),
    UNIQUE (pending_id),                          -- resolved at most once
    UNIQUE (source_event, idempotency_key, line), -- the same posting again is the same posting
    FOREIGN KEY (debit_account_id, currency) REFERENCES ledger_account (account_id, currency),
    FOREIGN KEY (credit_account_id, currency) REFERENCES ledger_account (account_id, currency)
);

-- Balances are summed from the index alone.
CREATE INDEX ledger_transfer_by_debit ON ledger_transfer (debit_account_id, kind, amount_minor);
CREATE INDEX ledger_transfer_by_credit ON ledger_transfer (credit_account_id, kind, amount_minor);

-- A resolution repeats what it resolves: the same legs, the same amount, and that was pending.
CREATE FUNCTION ledger_resolution_repeats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM ledger_transfer AS resolved
        WHERE resolved.transfer_id = NEW.pending_id
          AND resolved.kind = 'pending'
          AND resolved.debit_account_id = NEW.debit_account_id
          AND resolved.credit_account_id = NEW.credit_account_id
          AND resolved.currency = NEW.currency
          AND resolved.amount_minor = NEW.amount_minor
    ) THEN
        RAISE EXCEPTION 'a resolution must repeat the pending transfer it resolves';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ledger_transfer_resolves_what_is_pending BEFORE INSERT ON ledger_transfer
    FOR EACH ROW WHEN (NEW.pending_id IS NOT NULL) EXECUTE FUNCTION ledger_resolution_repeats();

-- History is not edited.
CREATE TRIGGER ledger_transfer_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER ledger_account_is_kept BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER ledger_account_keeps_values
    BEFORE UPDATE OF account_id, purpose, owner, currency, authorises, opened_at ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
