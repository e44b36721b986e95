-- Tracked links. A row stays when the link is dead; what it was issued under never changes.
CREATE TABLE link (
    link_id         UUID NOT NULL PRIMARY KEY,
    code            TEXT NOT NULL UNIQUE,   -- canonical spelling: upper case, no blanks
    slug            TEXT UNIQUE,            -- second address, chosen by the owner
    account_id      UUID NOT NULL REFERENCES account (account_id),
    shop_id         UUID NOT NULL REFERENCES shop (shop_id),
    program_id      UUID NOT NULL REFERENCES program (program_id),
    program_version BIGINT NOT NULL,         -- terms in force when it was issued
    product_id      UUID NOT NULL REFERENCES product (product_id),
    url             TEXT NOT NULL,          -- target in normal form, without our token
    channel_kind    TEXT NOT NULL,          -- where the owner shows it
    channel_url     TEXT,
    sub_id1         TEXT,                   -- the owner's own tags
    sub_id2         TEXT,
    sub_id3         TEXT,
    sub_id4         TEXT,
    sub_id5         TEXT,
    decision_id     UUID NOT NULL UNIQUE REFERENCES decision (decision_id), -- law 2: no link without its decision
    verification_id UUID NOT NULL REFERENCES identity_case (verification_id), -- law 1: verified under this case
    status          TEXT NOT NULL CHECK (status IN ('active', 'in_review', 'suspended', 'taken_down', 'expired')),
    created_at      TIMESTAMPTZ NOT NULL,
    dead_at         TIMESTAMPTZ,                   -- when it stopped redirecting
    dead_reason     TEXT,                   -- reason code of the takedown or of the lost standing
    dead_leaf_id    UUID REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    FOREIGN KEY (program_id, program_version) REFERENCES program_version (program_id, version),
    CHECK ((status IN ('active', 'in_review')) = (dead_at IS NULL)),
    CHECK ((dead_at IS NULL) = (dead_reason IS NULL)),
    CHECK ((dead_at IS NULL) = (dead_leaf_id IS NULL))
);

-- An owner's list, newest first.
CREATE INDEX link_by_owner ON link (account_id, link_id);
-- Staff list by state.
CREATE INDEX link_by_status ON link (status, link_id);
-- Standing lost: the owner's active links, without reading the dead ones.
CREATE INDEX link_active_by_owner ON link (account_id) WHERE status = 'active';
-- A list change screens the active links of its goods again.
CREATE INDEX link_active_by_product ON link (product_id) WHERE status = 'active';

-- One act for each link taken down for good, by a person or by a list change.
CREATE TABLE link_takedown (
    takedown_id UUID NOT NULL PRIMARY KEY,
    link_id     UUID NOT NULL UNIQUE REFERENCES link (link_id), -- a link dies once
    reason_code TEXT NOT NULL CHECK (reason_code IN ('violating_goods', 'authority_order', 'fraud', 'content',
                    'shop_request', 'error', 'other')),
    note        TEXT,                       -- the officer's words; the leaf has only their digest
    grounds     TEXT NOT NULL,              -- JSON list of what a list change found; empty for a person's act
    actor       TEXT NOT NULL,              -- prefixed account id, or the name of a job
    decided_at  TIMESTAMPTZ NOT NULL,              -- when the request arrived
    recorded_at TIMESTAMPTZ NOT NULL,              -- right before the commit
    leaf_id     UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id)
);

-- One act for all links that an owner's lost standing suspends.
CREATE TABLE link_suspension (
    suspension_id UUID NOT NULL PRIMARY KEY,
    account_id    UUID NOT NULL REFERENCES account (account_id),
    reason_code   TEXT NOT NULL,            -- in the words of the identity verdict
    link_count    BIGINT NOT NULL CHECK (link_count > 0),
    actor         TEXT NOT NULL,            -- prefixed account id, or the name of a job
    decided_at    TIMESTAMPTZ NOT NULL,
    leaf_id       UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id)
);

CREATE INDEX link_suspension_by_owner ON link_suspension (account_id, suspension_id);

-- Law 1 and 2: a link enters the world under a decision that issued it to this very account.
CREATE FUNCTION link_needs_its_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM decision
        WHERE decision_id = NEW.decision_id AND outcome = 'issued' AND account_id = NEW.account_id
          AND product_id = NEW.product_id)
    THEN
        RAISE EXCEPTION 'a link needs a decision that issued it to its owner';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER link_needs_its_decision BEFORE INSERT ON link
    FOR EACH ROW EXECUTE FUNCTION link_needs_its_decision();

-- A dead link keeps its row, and what it was issued under is history. A takedown is final.
CREATE TRIGGER link_keeps_rows BEFORE DELETE OR TRUNCATE ON link
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER link_keeps_values BEFORE UPDATE ON link
    FOR EACH ROW
    WHEN (OLD.status = 'taken_down'
       OR NEW.link_id IS DISTINCT FROM OLD.link_id
       OR NEW.code IS DISTINCT FROM OLD.code
       OR NEW.slug IS DISTINCT FROM OLD.slug
       OR NEW.account_id IS DISTINCT FROM OLD.account_id
       OR NEW.shop_id IS DISTINCT FROM OLD.shop_id
       OR NEW.program_id IS DISTINCT FROM OLD.program_id
       OR NEW.program_version IS DISTINCT FROM OLD.program_version
       OR NEW.product_id IS DISTINCT FROM OLD.product_id
       OR NEW.decision_id IS DISTINCT FROM OLD.decision_id
       OR NEW.verification_id IS DISTINCT FROM OLD.verification_id
       OR NEW.created_at IS DISTINCT FROM OLD.created_at)
    EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER link_takedown_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON link_takedown
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER link_suspension_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON link_suspension
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
