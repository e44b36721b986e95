-- The click log: one row for each redirect, written in groups off the request path. It holds no network address and
-- no money hangs on it. The link is named without a foreign key: the id comes from our own directory, and checking
-- it again for every row would cost more than the row.
CREATE TABLE click (
    click_id   BLOB NOT NULL PRIMARY KEY,  -- ordered by time, so pruning and partitions cut by it
    link_id    BLOB NOT NULL,
    clicked_at TEXT NOT NULL,
    nonce      BLOB NOT NULL,            -- as in the token that went to the shop
    agent      TEXT NOT NULL CHECK (agent IN ('person', 'preview', 'bot')),
    via        TEXT NOT NULL CHECK (via IN ('link', 'qr')),
    visitor    BLOB NOT NULL             -- keyed pseudonym that lasts a day
) STRICT, WITHOUT ROWID; -- one tree in the order of time, not a table and an index over it

-- A link's figures, without reading other links' rows.
CREATE INDEX click_by_link ON click (link_id, clicked_at, agent, visitor);
