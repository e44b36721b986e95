-- Takedowns as acts, the index that finds what a change hits, and the clock of both.

-- One act on any number of links: they die, rest, or come back, in one transaction with one leaf.
CREATE TABLE takedown (
    takedown_id   BLOB NOT NULL PRIMARY KEY,
    cause_kind    TEXT NOT NULL CHECK (cause_kind IN ('list_change', 'authority_order', 'officer', 'standing',
                      'product_edit', 'shop_suspension', 'papers', 'rescreen')),
    cause_id      TEXT,                   -- `list:version`, or the prefixed id of the order, account, shop or product; none for an officer's word
    effect        TEXT NOT NULL CHECK (effect IN ('taken_down', 'suspended', 'reinstated')),
    reason_code   TEXT NOT NULL,
    note          TEXT,                   -- the officer's words; the leaf has only their digest
    policy        TEXT NOT NULL,          -- what becomes of clicks that were not redeemed yet, by its name in the table of policies
    link_count    INTEGER NOT NULL CHECK (link_count > 0),
    account_count INTEGER NOT NULL CHECK (account_count > 0),
    links_sha256  BLOB,                   -- over the ids in order, as in the leaf; null for acts older than this table
    actor         TEXT NOT NULL,          -- prefixed account id, or the name of a job
    decided_at    TEXT NOT NULL,          -- when the request arrived; the links count as dead from here
    committed_at  TEXT NOT NULL,          -- right before the commit
    leaf_id       BLOB NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id),
    UNIQUE (takedown_id, effect)
) STRICT;

-- The links of an act. The act is written last, because it says when it was committed.
CREATE TABLE takedown_link (
    takedown_id BLOB NOT NULL,
    link_id     BLOB NOT NULL REFERENCES link (link_id),
    effect      TEXT NOT NULL,
    grounds     TEXT NOT NULL,            -- JSON list of what was found in this link; empty where a person or an authority named it
    PRIMARY KEY (takedown_id, link_id),
    FOREIGN KEY (takedown_id, effect) REFERENCES takedown (takedown_id, effect) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- A link's history.
CREATE INDEX takedown_link_by_link ON takedown_link (link_id, takedown_id);
-- A link dies once.
CREATE UNIQUE INDEX takedown_link_once ON takedown_link (link_id) WHERE effect = 'taken_down';
-- Acts of a stretch of time, for the figures.
CREATE INDEX takedown_by_time ON takedown (committed_at);

-- What an owner is told of an act, and when they said they had read it (AF-05).
CREATE TABLE notice (
    notice_id       BLOB NOT NULL PRIMARY KEY,
    account_id      BLOB NOT NULL REFERENCES account (account_id),
    takedown_id     BLOB NOT NULL REFERENCES takedown (takedown_id) DEFERRABLE INITIALLY DEFERRED,
    effect          TEXT NOT NULL,
    reason_code     TEXT NOT NULL,
    link_count      INTEGER NOT NULL CHECK (link_count > 0), -- of this owner
    notified_at     TEXT NOT NULL,        -- from here on the owner can read it
    due_at          TEXT NOT NULL,        -- until when they are to acknowledge
    acknowledged_at TEXT,
    UNIQUE (takedown_id, account_id)
) STRICT;

-- An owner's notices, newest first.
CREATE INDEX notice_by_account ON notice (account_id, notice_id);

-- One row for each process that redirects.
CREATE TABLE node (
    node_id      BLOB NOT NULL PRIMARY KEY,
    started_at   TEXT NOT NULL,
    last_seen_at TEXT NOT NULL
) STRICT;

-- When each node had dropped the links of an act.
CREATE TABLE takedown_node (
    takedown_id BLOB NOT NULL REFERENCES takedown (takedown_id),
    node_id     BLOB NOT NULL REFERENCES node (node_id),
    dead_at     TEXT NOT NULL,
    PRIMARY KEY (takedown_id, node_id)
) STRICT;

-- Goods that some link promotes or promoted, and what their keys were made from.
CREATE TABLE promoted_product (
    product_id   BLOB NOT NULL PRIMARY KEY REFERENCES product (product_id),
    facts_sha256 BLOB NOT NULL,           -- over product and shop as they were indexed
    keys_version INTEGER NOT NULL           -- of the rules that made the keys
) STRICT;

-- Everything by which an entry of a list can hit goods exactly or at text level 1. Compared byte by byte.
CREATE TABLE promoted_key (
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL,
    product_id BLOB NOT NULL REFERENCES promoted_product (product_id),
    PRIMARY KEY (kind, key, product_id)
) STRICT, WITHOUT ROWID;

-- Goods that changed lose their keys.
CREATE INDEX promoted_key_by_product ON promoted_key (product_id);

-- Where a link leads and where it is shown: host labels reversed, then the path, so that a domain is one stretch.
CREATE TABLE link_place (
    side    TEXT NOT NULL CHECK (side IN ('target', 'channel')),
    place   TEXT NOT NULL,
    link_id BLOB NOT NULL REFERENCES link (link_id),
    PRIMARY KEY (side, place, link_id)
) STRICT, WITHOUT ROWID;

-- How far the index reaches over links that are older than it. Until it covers all, every change looks at every link.
CREATE TABLE link_index (
    only_row     INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    keys_version INTEGER NOT NULL,          -- complete for this version of the rules that make keys
    after_link   BLOB NOT NULL            -- the backfill has come to here
) STRICT;
INSERT INTO link_index (only_row, keys_version, after_link)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM link) THEN 0 ELSE 1 END, x'00000000000000000000000000000000';

-- A pass over all live links for one set of list versions, and how far it has come.
CREATE TABLE rescreen (
    versions    TEXT NOT NULL PRIMARY KEY, -- canonical JSON: version of each list
    after_link  BLOB NOT NULL,
    seen        INTEGER NOT NULL,
    taken_down  INTEGER NOT NULL,           -- what the index had missed
    in_review   INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    finished_at TEXT                      -- at the end, or when newer versions took over
) STRICT;

-- Whether commission must ask when this link was at rest.
ALTER TABLE link ADD COLUMN has_rested INTEGER NOT NULL DEFAULT FALSE;
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
DROP TABLE link_takedown;
DROP TABLE link_suspension;

-- Acts are history.
CREATE TRIGGER takedown_keeps_rows BEFORE DELETE ON takedown
BEGIN SELECT RAISE(ABORT, 'takedown rows are never deleted'); END;
CREATE TRIGGER takedown_keeps_values BEFORE UPDATE ON takedown
BEGIN SELECT RAISE(ABORT, 'takedown rows are never changed'); END;
CREATE TRIGGER takedown_link_keeps_rows BEFORE DELETE ON takedown_link
BEGIN SELECT RAISE(ABORT, 'takedown_link rows are never deleted'); END;
CREATE TRIGGER takedown_link_keeps_values BEFORE UPDATE ON takedown_link
BEGIN SELECT RAISE(ABORT, 'takedown_link rows are never changed'); END;
CREATE TRIGGER notice_keeps_rows BEFORE DELETE ON notice
BEGIN SELECT RAISE(ABORT, 'notice rows are never deleted'); END;
CREATE TRIGGER notice_keeps_values BEFORE UPDATE ON notice
WHEN OLD.acknowledged_at IS NOT NULL
  OR NEW.notice_id IS NOT OLD.notice_id
  OR NEW.account_id IS NOT OLD.account_id
  OR NEW.takedown_id IS NOT OLD.takedown_id
  OR NEW.effect IS NOT OLD.effect
  OR NEW.reason_code IS NOT OLD.reason_code
  OR NEW.link_count IS NOT OLD.link_count
  OR NEW.notified_at IS NOT OLD.notified_at
  OR NEW.due_at IS NOT OLD.due_at
BEGIN SELECT RAISE(ABORT, 'a notice is only acknowledged, once'); END;
