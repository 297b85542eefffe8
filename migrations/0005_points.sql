-- migrate:up
-- Points. The account is the sum, the ledger its history, lots what earnings are left of; `patron check` holds them together.

CREATE TABLE points_accounts (
        customer_id      uuid CONSTRAINT points_accounts_pkey PRIMARY KEY,
        active           bigint NOT NULL CONSTRAINT points_accounts_active_check CHECK (active >= 0),
        pending          bigint NOT NULL CONSTRAINT points_accounts_pending_check CHECK (pending >= 0),
        held             bigint NOT NULL CONSTRAINT points_accounts_held_check CHECK (held >= 0),
        debt             bigint NOT NULL CONSTRAINT points_accounts_debt_check CHECK (debt >= 0),
        lifetime_earned  bigint NOT NULL,
        lifetime_spent   bigint NOT NULL,
        lifetime_expired bigint NOT NULL,
        last_seq         bigint NOT NULL -- of the ledger: a counter of each customer's own
) WITH (fillfactor = 70); -- every order updates its row: room for a second version in the same page

CREATE TABLE points_ledger (
        customer_id   uuid NOT NULL,
        seq           bigint NOT NULL,
        kind          text NOT NULL,
        amount        bigint NOT NULL, -- as shown; its effect on the total follows from kind
        active_after  bigint NOT NULL,
        pending_after bigint NOT NULL,
        held_after    bigint NOT NULL,
        debt_after    bigint NOT NULL,
        cause         text NOT NULL,
        order_id      uuid,
        reference     text,
        created_at    timestamptz NOT NULL,
        CONSTRAINT points_ledger_pkey PRIMARY KEY (customer_id, seq)
);

CREATE TABLE points_lots (
        customer_id uuid NOT NULL,
        lot_no      bigint NOT NULL, -- the ledger entry that earned it
        amount      bigint NOT NULL,
        remaining   bigint NOT NULL CONSTRAINT points_lots_remaining_check CHECK (remaining >= 0 AND remaining <= amount),
        pending     boolean NOT NULL,
        active_from timestamptz, -- null while it waits for a state of its order
        expires_at  timestamptz,
        order_id    uuid,
        CONSTRAINT points_lots_pkey PRIMARY KEY (customer_id, lot_no)
);
CREATE INDEX points_lots_due ON points_lots (active_from) WHERE pending AND active_from IS NOT NULL;

-- Which lots an entry drew from.
CREATE TABLE points_allocations (
        customer_id uuid NOT NULL,
        seq         bigint NOT NULL,
        lot_no      bigint NOT NULL,
        amount      bigint NOT NULL CONSTRAINT points_allocations_amount_check CHECK (amount > 0),
        CONSTRAINT points_allocations_pkey PRIMARY KEY (customer_id, seq, lot_no)
);
