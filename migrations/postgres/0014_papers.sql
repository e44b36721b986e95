-- Papers on file, versions and edits of products, and the acts that stop a shop or let it go on.

-- An edit makes the next version; the row of `product` holds the current one.
ALTER TABLE product ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version >= 1);

-- What a product said, one row a version. Links were decided on one of them.
CREATE TABLE product_version (
    product_id          UUID NOT NULL REFERENCES product (product_id),
    version             BIGINT NOT NULL CHECK (version >= 1),
    title               TEXT NOT NULL,
    description         TEXT,
    url                 TEXT NOT NULL,
    category            TEXT,
    brand               TEXT,
    gtin                TEXT,
    registration_number TEXT,
    price_minor         BIGINT CHECK (price_minor >= 0),
    price_currency      TEXT,
    made_at             TIMESTAMPTZ NOT NULL,
    leaf_id             UUID NOT NULL REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    PRIMARY KEY (product_id, version),
    CHECK ((price_minor IS NULL) = (price_currency IS NULL))
);

INSERT INTO product_version (product_id, version, title, description, url, category, brand, gtin, registration_number,
                             price_minor, price_currency, made_at, leaf_id)
SELECT product_id, 1, title, description, url, category, brand, gtin, registration_number, price_minor, price_currency,
       created_at, leaf_id
FROM product;

-- Edits that did not simply take effect: refused, or waiting for an officer.
CREATE TABLE product_edit (
    edit_id        UUID NOT NULL PRIMARY KEY,
    product_id     UUID NOT NULL REFERENCES product (product_id),
    shop_id        UUID NOT NULL REFERENCES shop (shop_id),
    based_on       BIGINT NOT NULL,          -- the version that it would follow
    proposed       TEXT NOT NULL,          -- JSON, the product as it would be
    grounds        TEXT NOT NULL,          -- JSON list, why it did not simply take effect
    status         TEXT NOT NULL CHECK (status IN ('in_review', 'refused', 'approved', 'rejected')),
    asked_by       UUID NOT NULL REFERENCES account (account_id),
    asked_at       TIMESTAMPTZ NOT NULL,
    leaf_id        UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    ruled_by       UUID REFERENCES account (account_id), -- never who asked
    ruled_at       TIMESTAMPTZ,
    ruling_text    TEXT,
    ruling_leaf_id UUID UNIQUE REFERENCES audit_leaf (leaf_id),
    CHECK (ruled_by IS NULL OR ruled_by <> asked_by),
    CHECK ((ruled_by IS NULL) = (ruled_at IS NULL)),
    CHECK ((ruled_by IS NULL) = (ruling_text IS NULL)),
    CHECK ((ruled_by IS NULL) = (ruling_leaf_id IS NULL)),
    CHECK (status <> 'in_review' OR ruled_by IS NULL),
    CHECK (status NOT IN ('approved', 'rejected') OR ruled_by IS NOT NULL)
);

-- One edit of a product waits at a time.
CREATE UNIQUE INDEX product_edit_waiting ON product_edit (product_id) WHERE status = 'in_review';
-- Staff list by state, newest first.
CREATE INDEX product_edit_by_status ON product_edit (status, edit_id);
-- A shop's own, newest first.
CREATE INDEX product_edit_by_shop ON product_edit (shop_id, edit_id);

-- Papers on file: what shows that goods may be advertised or sold. The file itself stays with who filed it.
CREATE TABLE product_document (
    document_id          UUID NOT NULL PRIMARY KEY,
    product_id           UUID NOT NULL REFERENCES product (product_id), -- for which it was filed
    shop_id              UUID NOT NULL REFERENCES shop (shop_id),
    kind                 TEXT NOT NULL,
    replaces             TEXT,             -- the kind that a statement says is not required
    number               TEXT,
    issuer               TEXT,
    issued_on            DATE,
    valid_from           DATE,             -- first and last day on which it counts
    valid_to             DATE,
    file_sha256          BYTEA NOT NULL, -- binds the record to the file, which is not kept here
    url                  TEXT,             -- where an officer may look at it
    covers               TEXT NOT NULL CHECK (covers IN ('product', 'shop')),
    category             TEXT,             -- only goods of this category
    approved_text_sha256 BYTEA,           -- the text that was confirmed; another text is not covered
    note                 TEXT,
    status               TEXT NOT NULL CHECK (status IN ('on_file', 'accepted', 'rejected', 'withdrawn')),
    filed_by             UUID NOT NULL REFERENCES account (account_id),
    filed_at             TIMESTAMPTZ NOT NULL,
    lapsed_at            TIMESTAMPTZ,              -- when the links that rest on it were looked at after its last day
    leaf_id              UUID NOT NULL UNIQUE REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    CHECK (LENGTH(file_sha256) = 32),
    CHECK (approved_text_sha256 IS NULL OR LENGTH(approved_text_sha256) = 32),
    CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)
);

-- A product's papers, newest first, and those that a decision counts.
CREATE INDEX product_document_by_product ON product_document (product_id, document_id);
CREATE INDEX product_document_of_shop ON product_document (shop_id, document_id) WHERE covers = 'shop';
-- Papers whose last day is over and whose links nobody has looked at yet.
CREATE INDEX product_document_running ON product_document (valid_to)
    WHERE lapsed_at IS NULL AND valid_to IS NOT NULL AND status IN ('on_file', 'accepted');

-- What was done with a paper after it was filed.
CREATE TABLE product_document_act (
    leaf_id     UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    document_id UUID NOT NULL REFERENCES product_document (document_id),
    act         TEXT NOT NULL CHECK (act IN ('accepted', 'rejected', 'withdrawn', 'lapsed')),
    note        TEXT,
    actor       TEXT NOT NULL,             -- prefixed account id, or the name of a job
    decided_at  TIMESTAMPTZ NOT NULL
);

CREATE INDEX product_document_act_by_document ON product_document_act (document_id, leaf_id);

-- A shop stopped, or let go on.
CREATE TABLE shop_act (
    leaf_id         UUID NOT NULL PRIMARY KEY REFERENCES audit_leaf (leaf_id), -- no leaf, no act
    shop_id         UUID NOT NULL REFERENCES shop (shop_id),
    act             TEXT NOT NULL CHECK (act IN ('suspended', 'reinstated')),
    reason_code     TEXT NOT NULL,
    note            TEXT,                  -- the officer's words; the leaf has only their digest
    notice_given_at TIMESTAMPTZ,                  -- when the shop was told, where notice is owed
    actor           TEXT NOT NULL,         -- prefixed account id
    decided_at      TIMESTAMPTZ NOT NULL
);

CREATE INDEX shop_act_by_shop ON shop_act (shop_id, leaf_id);

-- Which paper it is never changes; only where it stands does. The same for edits.
CREATE TRIGGER product_version_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON product_version
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER product_document_act_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON product_document_act
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER shop_act_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON shop_act
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER product_document_keeps_rows BEFORE DELETE OR TRUNCATE ON product_document
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER product_document_keeps_values BEFORE UPDATE ON product_document
    FOR EACH ROW
    WHEN (OLD.status IN ('rejected', 'withdrawn')
       OR NEW.document_id IS DISTINCT FROM OLD.document_id
       OR NEW.product_id IS DISTINCT FROM OLD.product_id
       OR NEW.shop_id IS DISTINCT FROM OLD.shop_id
       OR NEW.kind IS DISTINCT FROM OLD.kind
       OR NEW.replaces IS DISTINCT FROM OLD.replaces
       OR NEW.number IS DISTINCT FROM OLD.number
       OR NEW.issuer IS DISTINCT FROM OLD.issuer
       OR NEW.issued_on IS DISTINCT FROM OLD.issued_on
       OR NEW.valid_from IS DISTINCT FROM OLD.valid_from
       OR NEW.valid_to IS DISTINCT FROM OLD.valid_to
       OR NEW.file_sha256 IS DISTINCT FROM OLD.file_sha256
       OR NEW.url IS DISTINCT FROM OLD.url
       OR NEW.covers IS DISTINCT FROM OLD.covers
       OR NEW.category IS DISTINCT FROM OLD.category
       OR NEW.approved_text_sha256 IS DISTINCT FROM OLD.approved_text_sha256
       OR NEW.note IS DISTINCT FROM OLD.note
       OR NEW.filed_by IS DISTINCT FROM OLD.filed_by
       OR NEW.filed_at IS DISTINCT FROM OLD.filed_at
       OR NEW.leaf_id IS DISTINCT FROM OLD.leaf_id)
    EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER product_edit_keeps_rows BEFORE DELETE OR TRUNCATE ON product_edit
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER product_edit_keeps_values BEFORE UPDATE ON product_edit
    FOR EACH ROW
    WHEN (OLD.status <> 'in_review'
       OR NEW.edit_id IS DISTINCT FROM OLD.edit_id
       OR NEW.product_id IS DISTINCT FROM OLD.product_id
       OR NEW.shop_id IS DISTINCT FROM OLD.shop_id
       OR NEW.based_on IS DISTINCT FROM OLD.based_on
       OR NEW.proposed IS DISTINCT FROM OLD.proposed
       OR NEW.asked_by IS DISTINCT FROM OLD.asked_by
       OR NEW.asked_at IS DISTINCT FROM OLD.asked_at
       OR NEW.leaf_id IS DISTINCT FROM OLD.leaf_id)
    EXECUTE FUNCTION history_is_kept();

-- Behind the second wall: papers as far as the product is seen, edits of one's own shops.
GRANT SELECT ON product_document, product_edit TO tinvia_tenant;
ALTER TABLE product_document ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_product_seen ON product_document FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM product WHERE product.product_id = product_document.product_id));
ALTER TABLE product_edit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON product_edit FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM shop WHERE shop.shop_id = product_edit.shop_id AND shop.owner_id = present_tenant()));
