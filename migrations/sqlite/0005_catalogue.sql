-- Shops, their products, their programs with versioned terms.

CREATE TABLE shop (
    shop_id         BLOB NOT NULL PRIMARY KEY,
    owner_id        BLOB NOT NULL REFERENCES account (account_id), -- the account that speaks for the shop
    legal_name      TEXT NOT NULL,           -- as registered
    tax_code        TEXT NOT NULL,           -- for matching: the code, or a keyed digest of a personal number
    tax_code_form   TEXT NOT NULL CHECK (tax_code_form IN ('enterprise', 'branch', 'personal', 'foreign')),
    tax_code_sealed BLOB,                    -- a personal number, readable under our key only
    country         TEXT NOT NULL CHECK (LENGTH(country) = 2), -- ISO 3166-1 alpha-2
    website         TEXT NOT NULL,           -- normal form; screened against flagged platforms
    is_multi_level  INTEGER NOT NULL,        -- multi-level marketing needs a certificate before a link is made
    status          TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    created_at      TEXT NOT NULL,
    leaf_id         BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    -- A personal number is never kept in the open, and nothing else is sealed.
    CHECK ((tax_code_form = 'personal') = (tax_code_sealed IS NOT NULL))
) STRICT;

-- An owner lists its own shops, newest first.
CREATE INDEX shop_by_owner ON shop (owner_id, shop_id);

CREATE TABLE product (
    product_id          BLOB NOT NULL PRIMARY KEY,
    shop_id             BLOB NOT NULL REFERENCES shop (shop_id),
    title               TEXT NOT NULL,
    description         TEXT,                -- screened together with the title
    url                 TEXT NOT NULL,       -- normal form; where a link leads unless it says otherwise
    category            TEXT,
    brand               TEXT,
    gtin                TEXT,                -- 8, 12, 13 or 14 digits, check digit right
    registration_number TEXT,                -- of the authority that admitted the goods
    price_minor         INTEGER CHECK (price_minor >= 0),
    price_currency      TEXT,
    created_at          TEXT NOT NULL,
    leaf_id             BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    CHECK ((price_minor IS NULL) = (price_currency IS NULL)) -- no amount without its currency
) STRICT;

-- Products of a shop, newest first.
CREATE INDEX product_by_shop ON product (shop_id, product_id);

-- What stays the same over all versions of a program's terms.
CREATE TABLE program (
    program_id BLOB NOT NULL PRIMARY KEY,
    shop_id    BLOB NOT NULL REFERENCES shop (shop_id),
    currency   TEXT NOT NULL CHECK (LENGTH(currency) = 3), -- commissions are owed in it, so it never changes
    created_at TEXT NOT NULL
) STRICT;

-- Programs of a shop, newest first.
CREATE INDEX program_by_shop ON program (shop_id, program_id);

-- The terms of a program, one row a version; the highest version is current.
CREATE TABLE program_version (
    program_id              BLOB NOT NULL REFERENCES program (program_id),
    version                 INTEGER NOT NULL CHECK (version >= 1),
    name                    TEXT NOT NULL,
    status                  TEXT NOT NULL CHECK (status IN ('active', 'paused')),
    rate_bps                INTEGER NOT NULL CHECK (rate_bps BETWEEN 0 AND 10000),
    attribution_window_days INTEGER NOT NULL CHECK (attribution_window_days BETWEEN 1 AND 365),
    hold_days               INTEGER NOT NULL CHECK (hold_days BETWEEN 0 AND 365),
    accrue_on               TEXT NOT NULL CHECK (accrue_on IN ('paid', 'created')),
    allowed_hosts           TEXT NOT NULL,   -- JSON list of hosts; an empty one allows any public host
    rounding                TEXT NOT NULL CHECK (rounding IN ('half_up')), -- fixed when the terms were agreed
    valid_from              TEXT NOT NULL,   -- until the next version's
    leaf_id                 BLOB NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    PRIMARY KEY (program_id, version)        -- two edits of one version cannot both stand
) STRICT;

-- Terms that commissions were counted by are not edited.
CREATE TRIGGER program_keeps_rows BEFORE DELETE ON program
BEGIN SELECT RAISE(ABORT, 'programs are never deleted'); END;
CREATE TRIGGER program_keeps_values BEFORE UPDATE ON program
BEGIN SELECT RAISE(ABORT, 'programs are never changed'); END;
CREATE TRIGGER program_version_keeps_rows BEFORE DELETE ON program_version
BEGIN SELECT RAISE(ABORT, 'terms are never deleted'); END;
CREATE TRIGGER program_version_keeps_values BEFORE UPDATE ON program_version
BEGIN SELECT RAISE(ABORT, 'terms are never changed'); END;
