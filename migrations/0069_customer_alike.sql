-- migrate:up
-- What customers may be one person by: a row for each number, mailbox, account, and name with address, in a normal form and hashed, so
-- that those who are alike stand side by side in the index.

CREATE TABLE customer_alike (
        why         smallint NOT NULL, -- 1 number, 2 email, 3 account, 4 address
        key         bigint NOT NULL,   -- hash of the normal form, keyed: nobody finds a number out by trying all
        customer_id uuid NOT NULL,
        CONSTRAINT customer_alike_pkey PRIMARY KEY (why, key, customer_id)
);
CREATE INDEX customer_alike_customer ON customer_alike (customer_id);
INSERT INTO customer_changes (customer_id) SELECT id FROM customers;
UPDATE customer_directory SET version = 0;
