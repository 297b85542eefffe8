-- migrate:up
-- The calls of an order are its audit: who made each.

ALTER TABLE order_calls
        ADD COLUMN key_id     text,
        ADD COLUMN request_id text;
