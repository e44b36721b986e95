-- Where a shop's platform delivers its orders: one secret address, one set of secrets.
CREATE TABLE order_source (
    order_source_id UUID NOT NULL PRIMARY KEY,
    shop_id         UUID NOT NULL REFERENCES shop (shop_id),
    program_id      UUID NOT NULL REFERENCES program (program_id), -- terms under which its orders earn
    owner_id        UUID NOT NULL REFERENCES account (account_id), -- the shop's owner: who may read it
    platform        TEXT NOT NULL,
    token_digest    BYTEA NOT NULL UNIQUE,  -- keyed digest of the path token: how a delivery finds its source
    token_sealed    BYTEA NOT NULL,         -- the token itself, shown to its owner again
    config_sealed   BYTEA NOT NULL,         -- secrets and settings
    status          TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at      TIMESTAMPTZ NOT NULL,
    closed_at       TIMESTAMPTZ,
    CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);

-- An owner lists their sources, newest first.
CREATE INDEX order_source_by_owner ON order_source (owner_id, order_source_id);

-- What was done to a source, each with its leaf of the audit log: opened, rotated, previous secret dropped, closed.
CREATE TABLE order_source_act (
    leaf_id         UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id),
    order_source_id UUID NOT NULL REFERENCES order_source (order_source_id),
    act             TEXT NOT NULL CHECK (act IN ('opened', 'rotated', 'previous_dropped', 'closed')),
    recorded_at     TIMESTAMPTZ NOT NULL
);

-- A source's history.
CREATE INDEX order_source_act_by_source ON order_source_act (order_source_id, leaf_id);

CREATE TRIGGER order_source_act_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON order_source_act
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- The inbox: every rightly signed delivery, committed before its 200. The truth that orders are folded from.
CREATE TABLE delivery (
    delivery_id     UUID NOT NULL PRIMARY KEY,
    order_source_id UUID NOT NULL REFERENCES order_source (order_source_id),
    dedupe_key      BYTEA NOT NULL,         -- digest of what the platform repeats on a retry
    second_key      BYTEA,                  -- digest of what it repeats over several subscriptions
    raw_sealed      BYTEA NOT NULL,         -- kept headers and raw body, sealed: they hold buyers' personal data
    received_at     TIMESTAMPTZ NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('pending', 'applied', 'parked', 'ignored')),
    reason          TEXT,                  -- why parked or ignored: a word, never a value of the body
    settled_at      TIMESTAMPTZ,                  -- when it last left a status
    CHECK ((status IN ('parked', 'ignored')) = (reason IS NOT NULL)),
    CHECK ((status = 'pending') = (settled_at IS NULL))
);

-- Sealed bytes do not compress: not even to be tried.
ALTER TABLE delivery ALTER COLUMN raw_sealed SET STORAGE EXTERNAL;

-- A retry is the same delivery.
CREATE UNIQUE INDEX delivery_once ON delivery (order_source_id, dedupe_key);
-- The same event over a second subscription is the same delivery.
CREATE UNIQUE INDEX delivery_once_per_event ON delivery (order_source_id, second_key) WHERE second_key IS NOT NULL;
-- The fold claims what is pending, oldest first; ids are in order of receipt.
CREATE INDEX delivery_pending ON delivery (delivery_id) WHERE status = 'pending';
-- Owners and staff look through what was parked.
CREATE INDEX delivery_by_source ON delivery (order_source_id, status, delivery_id);

-- What one body says about one order, normalised, without personal data. Never changed.
CREATE TABLE order_fact (
    delivery_id       UUID NOT NULL REFERENCES delivery (delivery_id),
    place             BIGINT NOT NULL,    -- within the delivery, which may speak of several orders
    order_source_id   UUID NOT NULL REFERENCES order_source (order_source_id),
    external_order_id TEXT NOT NULL,
    currency          TEXT,                -- of its money; null when the body does not say
    received_at       TIMESTAMPTZ NOT NULL,
    fact              TEXT NOT NULL,       -- JSON
    PRIMARY KEY (delivery_id, place)
);

-- Everything said about an order, for rebuilding it.
CREATE INDEX order_fact_by_order ON order_fact (order_source_id, external_order_id);

CREATE TRIGGER order_fact_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON order_fact
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();

-- The joined facts of an order: adding a fact in any order or twice gives the same row. Locked while folding, and
-- there before the order itself when a refund came first.
CREATE TABLE order_state (
    order_id          UUID NOT NULL PRIMARY KEY,
    order_source_id   UUID NOT NULL REFERENCES order_source (order_source_id),
    external_order_id TEXT NOT NULL,
    state             TEXT NOT NULL,       -- JSON
    UNIQUE (order_source_id, external_order_id)
);

-- An order as its facts say it is. Money in minor units of currency.
CREATE TABLE customer_order (
    order_id          UUID NOT NULL PRIMARY KEY REFERENCES order_state (order_id),
    order_source_id   UUID NOT NULL REFERENCES order_source (order_source_id),
    shop_id           UUID NOT NULL REFERENCES shop (shop_id),
    program_id        UUID NOT NULL REFERENCES program (program_id),
    owner_id          UUID NOT NULL REFERENCES account (account_id), -- the shop's owner: who may read it
    external_order_id TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('open', 'paid', 'partially_refunded', 'refunded', 'cancelled')),
    currency          TEXT NOT NULL,
    subtotal_minor    BIGINT NOT NULL,    -- as sent
    discount_minor    BIGINT NOT NULL,    -- as sent
    shipping_minor    BIGINT NOT NULL,    -- as sent
    tax_minor         BIGINT NOT NULL,    -- as sent
    total_minor       BIGINT NOT NULL,    -- as sent, never lowered by refunds
    refunded_minor    BIGINT NOT NULL CHECK (refunded_minor >= 0), -- money returned
    coupon_codes      TEXT NOT NULL,       -- JSON array
    click_id          TEXT,                -- our token as the order carries it
    landing_url       TEXT,                -- without parameters that may hold personal data
    landing_click     TEXT,                -- our token in the landing address
    referrer          TEXT,                -- host and path alone
    buyer_ref         TEXT,                -- the platform's customer id
    guest_ref         TEXT,                -- keyed hash of a guest's e-mail
    is_test           BOOLEAN NOT NULL,    -- earns nothing
    is_cancelled      BOOLEAN NOT NULL,
    reconciles        BOOLEAN NOT NULL,    -- whether the sums as sent add up
    placed_at         TIMESTAMPTZ NOT NULL,
    paid_seen_at      TIMESTAMPTZ,                -- receipt of the first body that says paid
    updated_at        TIMESTAMPTZ NOT NULL,       -- the platform's own time of the newest body
    UNIQUE (order_source_id, external_order_id)
);

-- An owner lists their orders, newest first.
CREATE INDEX customer_order_by_owner ON customer_order (owner_id, order_id);
-- Orders of a known buyer.
CREATE INDEX customer_order_by_buyer ON customer_order (order_source_id, buyer_ref) WHERE buyer_ref IS NOT NULL;
-- Orders of a known guest.
CREATE INDEX customer_order_by_guest ON customer_order (order_source_id, guest_ref) WHERE guest_ref IS NOT NULL;

-- The lines of an order's newest body.
CREATE TABLE order_line (
    order_id             UUID NOT NULL REFERENCES customer_order (order_id),
    place                BIGINT NOT NULL, -- as sent
    line_id              TEXT NOT NULL,
    product_id           TEXT,
    variant_id           TEXT,
    sku                  TEXT,
    title                TEXT,
    quantity             BIGINT NOT NULL CHECK (quantity >= 0),
    unit_price_minor     BIGINT NOT NULL CHECK (unit_price_minor >= 0),
    discount_minor       BIGINT NOT NULL CHECK (discount_minor >= 0),       -- of the whole line
    tax_minor            BIGINT NOT NULL CHECK (tax_minor >= 0),            -- inside the price, taken off goods
    goods_minor          BIGINT NOT NULL CHECK (goods_minor >= 0),          -- after discount, before tax
    refunded_goods_minor BIGINT NOT NULL CHECK (refunded_goods_minor >= 0), -- never more than the line brought
    CHECK (refunded_goods_minor <= goods_minor),
    PRIMARY KEY (order_id, line_id)
);

-- The refunds that count.
CREATE TABLE order_refund (
    order_id     UUID NOT NULL REFERENCES customer_order (order_id),
    refund_id    TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0), -- money returned
    goods_minor  BIGINT CHECK (goods_minor >= 0),           -- the part for goods, when the body says
    PRIMARY KEY (order_id, refund_id)
);
