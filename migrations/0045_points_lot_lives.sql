-- migrate:up
-- Lots that were given another life: when they would have lapsed before the entry. What was true at any past instant can be told.

CREATE TABLE points_lot_lives (
        customer_id    uuid NOT NULL,
        lot_no         bigint NOT NULL,
        seq            bigint NOT NULL, -- the entry that changed it
        expires_before timestamptz, -- null: not by a date
        CONSTRAINT points_lot_lives_pkey PRIMARY KEY (customer_id, lot_no, seq)
);
