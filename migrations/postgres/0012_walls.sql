-- The second wall between tenants. A tenant's lists are read in the role `tinvia_tenant`, which sees by policy only the
-- rows of the account that the setting `tinvia.tenant` names, so that a list that forgets its owner still shows no
-- foreign row. The application's own role owns the tables: row-level security does not bind it and costs it nothing.

-- Roles belong to the whole cluster: another database may have made it, or be about to.
DO $$
DECLARE
    -- What SET ROLE needs has a name of its own since PostgreSQL 16.
    needed TEXT := CASE WHEN current_setting('server_version_num')::INTEGER >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tinvia_tenant') THEN
        BEGIN
            CREATE ROLE tinvia_tenant NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made meanwhile
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'tinvia_tenant', needed) THEN
        EXECUTE format('GRANT tinvia_tenant TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO tinvia_tenant', current_schema());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
        'role %I may not make or take the role tinvia_tenant; once, as a superuser: '
        'CREATE ROLE tinvia_tenant NOLOGIN; GRANT tinvia_tenant TO %I', current_user, current_user);
END
$$;

-- Whose rows may be seen: nobody's unless it was said. A setting that was once set comes back empty, not unset.
CREATE FUNCTION present_tenant() RETURNS UUID LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CAST(NULLIF(current_setting('tinvia.tenant', TRUE), '') AS UUID)
$$;

-- An id as text, as `kernel/ids.rs` writes it: the ledger names the owners of its accounts so.
CREATE FUNCTION prefixed_id(prefix TEXT, id UUID) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT prefix || '_' || string_agg(
        substr('0123456789abcdefghjkmnpqrstvwxyz', CAST(CAST(substring(bits FROM place FOR 5) AS BIT(5)) AS INTEGER) + 1, 1),
        '' ORDER BY place)
    FROM (SELECT B'00' || CAST('x' || replace(CAST(id AS TEXT), '-', '') AS BIT(128)) AS bits) AS whole,
         generate_series(1, 126, 5) AS place
$$;

-- What the lists read and no more. Where a row holds what no list shows, columns are named.
GRANT SELECT ON account_role, identity_case, product, program, program_version, decision, decision_ground, link,
    customer_order, order_line, order_refund, ledger_account, ledger_transfer, commission, commission_reversal
    TO tinvia_tenant;
GRANT SELECT (api_key_id, account_id, name, scopes, created_at, last_used_day, revoked_at)
    ON api_key TO tinvia_tenant; -- no secret's digest
GRANT SELECT (shop_id, owner_id, legal_name, tax_code, tax_code_form, country, website, is_multi_level, status, created_at)
    ON shop TO tinvia_tenant; -- no sealed personal number
GRANT SELECT (order_source_id, shop_id, program_id, owner_id, platform, token_sealed, config_sealed, status, created_at,
              closed_at)
    ON order_source TO tinvia_tenant; -- no token's digest
GRANT SELECT (delivery_id, order_source_id, dedupe_key, received_at, status, reason, settled_at)
    ON delivery TO tinvia_tenant; -- no body, even sealed

-- Policies bind the tenants' role alone. A table under another one repeats nothing: a sub-select sees by the policy of
-- the table it reads.
ALTER TABLE account_role ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON account_role FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());

ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON api_key FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());

ALTER TABLE identity_case ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON identity_case FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());

-- The catalogue: one's own shops; promoters also see the active ones, or they could not promote anything.
ALTER TABLE shop ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop FOR SELECT TO tinvia_tenant USING (owner_id = present_tenant());
CREATE POLICY promotable ON shop FOR SELECT TO tinvia_tenant USING (
    status = 'active' AND EXISTS (SELECT 1 FROM account_role WHERE role IN ('affiliate', 'livestreamer')));

ALTER TABLE product ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_shop_seen ON product FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM shop WHERE shop.shop_id = product.shop_id));

ALTER TABLE program ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_shop_seen ON program FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM shop WHERE shop.shop_id = program.shop_id));

ALTER TABLE program_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_program_seen ON program_version FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM program WHERE program.program_id = program_version.program_id));

ALTER TABLE decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON decision FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());

ALTER TABLE decision_ground ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_decision_seen ON decision_ground FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM decision WHERE decision.decision_id = decision_ground.decision_id));

ALTER TABLE link ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON link FOR SELECT TO tinvia_tenant USING (account_id = present_tenant());

ALTER TABLE order_source ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON order_source FOR SELECT TO tinvia_tenant USING (owner_id = present_tenant());

ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_source_seen ON delivery FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM order_source WHERE order_source.order_source_id = delivery.order_source_id));

ALTER TABLE customer_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customer_order FOR SELECT TO tinvia_tenant USING (owner_id = present_tenant());

ALTER TABLE order_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_an_order_seen ON order_line FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM customer_order WHERE customer_order.order_id = order_line.order_id));

ALTER TABLE order_refund ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_an_order_seen ON order_refund FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM customer_order WHERE customer_order.order_id = order_refund.order_id));

-- Two see a commission: who earned it and who owes it.
ALTER TABLE commission ENABLE ROW LEVEL SECURITY;
CREATE POLICY earned ON commission FOR SELECT TO tinvia_tenant USING (affiliate_id = present_tenant());
CREATE POLICY owed ON commission FOR SELECT TO tinvia_tenant USING (shop_owner_id = present_tenant());

ALTER TABLE commission_reversal ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_a_commission_seen ON commission_reversal FOR SELECT TO tinvia_tenant USING (
    EXISTS (SELECT 1 FROM commission WHERE commission.commission_id = commission_reversal.commission_id));

-- The owners are gathered once for a statement, and the accounts found by the index over owners.
ALTER TABLE ledger_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON ledger_account FOR SELECT TO tinvia_tenant USING (
    owner = ANY (ARRAY(
        SELECT prefixed_id('acc', present_tenant())
        UNION ALL
        SELECT prefixed_id('shop', shop_id) FROM shop WHERE owner_id = present_tenant())));

-- Two see a transfer, one at either end; each end's accounts are gathered once for a statement.
ALTER TABLE ledger_transfer ENABLE ROW LEVEL SECURITY;
CREATE POLICY at_one_end ON ledger_transfer FOR SELECT TO tinvia_tenant USING (
    debit_account_id IN (SELECT account_id FROM ledger_account)
    OR credit_account_id IN (SELECT account_id FROM ledger_account));

-- Balances are summed from the index alone, also under that policy: it asks for the other end of each transfer.
DROP INDEX ledger_transfer_by_debit;
DROP INDEX ledger_transfer_by_credit;
CREATE INDEX ledger_transfer_by_debit ON ledger_transfer (debit_account_id, kind, amount_minor)
    INCLUDE (credit_account_id);
CREATE INDEX ledger_transfer_by_credit ON ledger_transfer (credit_account_id, kind, amount_minor)
    INCLUDE (debit_account_id);
