-- migrate:up
-- A customer's phone is looked up by customer and kind: with both in one index the plan does not hang on statistics,
-- which a new installation does not have yet.
CREATE INDEX customer_identities_of ON customer_identities (customer_id, kind);
DROP INDEX customer_identities_customer;
