-- migrate:up
-- What recognises customers beside their phone and e-mail: exports read it apart, and most shops have little of it.

CREATE INDEX customer_identities_other ON customer_identities (customer_id) WHERE secondary OR kind NOT IN ('phone', 'email');
