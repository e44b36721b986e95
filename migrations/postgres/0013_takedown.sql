-- Takedowns as acts, the index that finds what a change hits, and the clock of both.

-- One act on any number of links: they die, rest, or come back, in one transaction with one leaf.
CREATE TABLE takedown (
    takedown_id   UUID NOT NULL PRIMARY KEY,
    cause_kind    TEXT NOT NULL CHECK (cause_kind IN ('list_change', 'authority_order', 'officer', 'standing',
                      'product_edit', 'shop_suspension', 'papers', 'rescreen')),
    cause_id      TEXT,                   -- `list:version`, or the prefixed id of the order, account, shop or product; none for an officer's word
    effect        TEXT NOT NULL CHECK (effect IN ('taken_down', 'suspended', 'reinstated')),
    reason_code   TEXT NOT NULL,
    note          TEXT,                   -- the officer's words; the leaf has only their digest
    policy        TEXT NOT NULL,          -- what becomes of clicks that were not redeemed yet, by its name in the table of policies
    link_count    BIGINT NOT NULL CHECK (link_count > 0),
    account_count BIGINT NOT NULL CHECK (account_count > 0),
    links_sha256  BYTEA,                   -- over the ids in order, as in the leaf; null for acts older than this table
    actor         TEXT NOT NULL,          -- prefixed account id, or the name of a job
    decided_at    TIMESTAMPTZ NOT NULL,          -- when the request arrived; the links count as dead from here
    committed_at  TIMESTAMPTZ NOT NULL,          -- right before the commit
    leaf_id       UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    UNIQUE (takedown_id, effect)
);

-- The links of an act. The act is written last, because it says when it was committed.
CREATE TABLE takedown_link (
    takedown_id UUID NOT NULL,
    link_id     UUID NOT NULL REFERENCES link (link_id),
    effect      TEXT NOT NULL,
    grounds     TEXT NOT NULL,            -- JSON list of what was found in this link; empty where a person or an authority named it
    PRIMARY KEY (takedown_id, link_id),
    FOREIGN KEY (takedown_id, effect) REFERENCES takedown (takedown_id, effect) DEFERRABLE INITIALLY DEFERRED
);

-- A link's history.
CREATE INDEX takedown_link_by_link ON takedown_link (link_id, takedown_id);
-- A link dies once.
CREATE UNIQUE INDEX takedown_link_once ON takedown_link (link_id) WHERE effect = 'taken_down';
-- Acts of a stretch of time, for the figures.
CREATE INDEX takedown_by_time ON takedown (committed_at);

-- What an owner is told of an act, and when they said they had read it (AF-05).
CREATE TABLE notice (
    notice_id       UUID NOT NULL PRIMARY KEY,
    account_id      UUID NOT NULL REFERENCES account (account_id),
    takedown_id     UUID NOT NULL REFERENCES takedown (takedown_id) DEFERRABLE INITIALLY DEFERRED,
    effect          TEXT NOT NULL,
    reason_code     TEXT NOT NULL,
    link_count      BIGINT NOT NULL CHECK (link_count > 0), -- of this owner
    notified_at     TIMESTAMPTZ NOT NULL,        -- from here on the owner can read it
    due_at          TIMESTAMPTZ NOT NULL,        -- until when they are to acknowledge
    acknowledged_at TIMESTAMPTZ,
    UNIQUE (takedown_id, account_id)
);

-- An owner's notices, newest first.
CREATE INDEX notice_by_account ON notice (account_id, notice_id);

-- One row for each process that redirects.
CREATE TABLE node (
    node_id      UUID NOT NULL PRIMARY KEY,
    started_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL
);

-- When each node had dropped the links of an act.
CREATE TABLE takedown_node (
    takedown_id UUID NOT NULL REFERENCES takedown (takedown_id),
    node_id     UUID NOT NULL REFERENCES node (node_id),
    dead_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (takedown_id, node_id)
);

-- Goods that some link promotes or promoted, and what their keys were made from.
CREATE TABLE promoted_product (
    product_id   UUID NOT NULL PRIMARY KEY REFERENCES product (product_id),
    facts_sha256 BYTEA NOT NULL,           -- over product and shop as they were indexed
    keys_version BIGINT NOT NULL           -- of the rules that made the keys
);

-- Everything by which an entry of a list can hit goods exactly or at text level 1. Compared byte by byte.
CREATE TABLE promoted_key (
    kind       TEXT NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    product_id UUID NOT NULL REFERENCES promoted_product (product_id),
    PRIMARY KEY (kind, key, product_id)
);

-- Goods that changed lose their keys.
CREATE INDEX promoted_key_by_product ON promoted_key (product_id);

-- Where a link leads and where it is shown: host labels reversed, then the path, so that a domain is one stretch.
CREATE TABLE link_place (
    side    TEXT NOT NULL CHECK (side IN ('target', 'channel')),
    place   TEXT COLLATE "C" NOT NULL,
    link_id UUID NOT NULL REFERENCES link (link_id),
    PRIMARY KEY (side, place, link_id)
);

-- How far the index reaches over links that are older than it. Until it covers all, every change looks at every link.
CREATE TABLE link_index (
    only_row     BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    keys_version BIGINT NOT NULL,          -- complete for this version of the rules that make keys
    after_link   UUID NOT NULL            -- the backfill has come to here
);
INSERT INTO link_index (only_row, keys_version, after_link)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM link) THEN 0 ELSE 1 END, CAST('00000000-0000-0000-0000-000000000000' AS UUID);

-- A pass over all live links for one set of list versions, and how far it has come.
CREATE TABLE rescreen (
    versions    TEXT NOT NULL PRIMARY KEY, -- canonical JSON: version of each list
    after_link  UUID NOT NULL,
    seen        BIGINT NOT NULL,
    taken_down  BIGINT NOT NULL,           -- what the index had missed
    in_review   BIGINT NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ                      -- at the end, or when newer versions took over
);

-- Whether commission must ask when this link was at rest.
ALTER TABLE link ADD COLUMN has_rested BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE link SET has_rested = TRUE WHERE status = 'suspended';

-- A suspended shop's or an order's links, without reading the dead ones.
CREATE INDEX link_active_by_shop ON link (shop_id) WHERE status = 'active';
CREATE INDEX link_suspended_by_shop ON link (shop_id) WHERE status = 'suspended';
-- An authority's order ends them too.
CREATE INDEX link_suspended_by_product ON link (product_id) WHERE status = 'suspended';

-- What the older tables hold. A link suspended then and still suspended is known by its leaf.
INSERT INTO takedown (takedown_id, cause_kind, cause_id, effect, reason_code, note, policy, link_count, account_count,
                      links_sha256, actor, decided_at, committed_at, leaf_id)
SELECT takedown_id, CASE WHEN grounds = '[]' THEN 'officer' ELSE 'list_change' END, NULL, 'taken_down', reason_code, note,
       'until_death', 1, 1, NULL, actor, decided_at, recorded_at, leaf_id
FROM link_takedown;
INSERT INTO takedown (takedown_id, cause_kind, cause_id, effect, reason_code, note, policy, link_count, account_count,
                      links_sha256, actor, decided_at, committed_at, leaf_id)
SELECT suspension_id, 'standing', NULL, 'suspended', reason_code, NULL, 'until_death', link_count, 1, NULL, actor,
       decided_at, decided_at, leaf_id
FROM link_suspension;
INSERT INTO takedown_link (takedown_id, link_id, effect, grounds)
SELECT link_suspension.suspension_id, link.link_id, 'suspended', '[]'
FROM link_suspension JOIN link ON link.dead_leaf_id = link_suspension.leaf_id;
INSERT INTO takedown_link (takedown_id, link_id, effect, grounds)
SELECT takedown_id, link_id, 'taken_down', grounds FROM link_takedown;
SET CONSTRAINTS ALL IMMEDIATE;
DROP TABLE link_takedown;
DROP TABLE link_suspension;

-- Acts are history.
CREATE TRIGGER takedown_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON takedown
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER takedown_link_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON takedown_link
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER notice_keeps_rows BEFORE DELETE OR TRUNCATE ON notice
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER notice_keeps_values BEFORE UPDATE ON notice
    FOR EACH ROW
    WHEN (OLD.acknowledged_at IS NOT NULL
       OR NEW.notice_id IS DISTINCT FROM OLD.notice_id
       OR NEW.account_id IS DISTINCT FROM OLD.account_id
       OR NEW.takedown_id IS DISTINCT FROM OLD.takedown_id
       OR NEW.effect IS DISTINCT FROM OLD.effect
       OR NEW.reason_code IS DISTINCT FROM OLD.reason_code
       OR NEW.link_count IS DISTINCT FROM OLD.link_count
       OR NEW.notified_at IS DISTINCT FROM OLD.notified_at
       OR NEW.due_at IS DISTINCT FROM OLD.due_at)
    EXECUTE FUNCTION history_is_kept();

-- A tenant's lists see its own notices, and of the acts that those are about what an owner is told.
GRANT SELECT ON notice TO tinvia_tenant;
GRANT SELECT (takedown_id, cause_kind, effect, reason_code, decided_at, committed_at, leaf_id) ON takedown TO tinvia_tenant;
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notice FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());
ALTER TABLE takedown ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_notice_seen ON takedown FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM notice WHERE notice.takedown_id = takedown.takedown_id));
