-- migrate:up
-- What customers do in the shop: many rows, one partition a month (behaviour_YYYYMM, in UTC), dropped as a whole when too old.

CREATE TABLE behaviour_events (
        customer_id uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        id          uuid NOT NULL, -- from the sender's key where there is one
        type        text NOT NULL,
        channel     text,
        sku         text,
        category    text,
        brand       text,
        query       text,
        quantity    bigint,
        value_minor bigint,
        CONSTRAINT behaviour_events_pkey PRIMARY KEY (customer_id, occurred_at, id)
) PARTITION BY RANGE (occurred_at);
