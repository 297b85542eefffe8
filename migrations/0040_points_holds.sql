-- migrate:up
-- Points that are reserved, and from which lots, so that they find their way back.

CREATE TABLE points_holds (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL, -- from the reference, where there is one
        state       text NOT NULL,
        points      bigint NOT NULL CONSTRAINT points_holds_points_check CHECK (points > 0),
        captured    bigint NOT NULL CONSTRAINT points_holds_captured_check CHECK (captured BETWEEN 0 AND points),
        restored    bigint NOT NULL CONSTRAINT points_holds_restored_check CHECK (restored BETWEEN 0 AND captured),
        reason      text,
        reference   text,
        order_id    uuid,
        seq         bigint NOT NULL, -- the ledger entry that made it
        spend_seq   bigint NOT NULL, -- the one that spent it; 0: none
        created_at  timestamptz NOT NULL,
        expires_at  timestamptz, -- null: it waits for its order
        resolved_at timestamptz,
        CONSTRAINT points_holds_pkey PRIMARY KEY (customer_id, id)
);
CREATE INDEX points_holds_due ON points_holds (expires_at) WHERE state = 'open';
CREATE INDEX points_holds_created ON points_holds (customer_id, seq);

CREATE TABLE points_hold_draws (
        customer_id uuid NOT NULL,
        hold_id     uuid NOT NULL,
        draw_no     bigint NOT NULL, -- in the order in which the lots were drawn
        lot_no      bigint NOT NULL,
        amount      bigint NOT NULL CONSTRAINT points_hold_draws_amount_check CHECK (amount > 0),
        returned    bigint NOT NULL CONSTRAINT points_hold_draws_returned_check CHECK (returned BETWEEN 0 AND amount),
        CONSTRAINT points_hold_draws_pkey PRIMARY KEY (customer_id, hold_id, draw_no)
);

-- What goes back to a lot is a negative draw.
ALTER TABLE points_allocations DROP CONSTRAINT points_allocations_amount_check;
ALTER TABLE points_allocations ADD CONSTRAINT points_allocations_amount_check CHECK (amount <> 0);

ALTER TABLE orders ADD COLUMN points_hold uuid;
