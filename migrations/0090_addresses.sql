-- migrate:up
-- Where a customer's parcels go, each under a name of the shop's own.

CREATE TABLE customer_addresses (
        customer_id uuid NOT NULL,
        name        text NOT NULL,
        recipient   text,
        phone       text,
        country     text,
        province    text,
        city        text,
        district    text,
        street      text NOT NULL, -- as many lines as it takes
        postal_code text,
        is_default  boolean NOT NULL,
        version     bigint NOT NULL,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        CONSTRAINT customer_addresses_pkey PRIMARY KEY (customer_id, name)
);
CREATE UNIQUE INDEX customer_addresses_default ON customer_addresses (customer_id) WHERE is_default;

-- The timeline reads them of one customer; orders write one where they bring an address that was not known.
CREATE INDEX events_of_addresses ON events (customer_id, type, occurred_at)
        WHERE type IN ('address.added', 'address.changed', 'address.removed');
