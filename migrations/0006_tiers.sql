-- migrate:up
-- Where each customer stands, and the day sums that windows of months are counted from.

CREATE TABLE tier_standings (
        customer_id    uuid CONSTRAINT tier_standings_pkey PRIMARY KEY,
        tier           text NOT NULL,
        since          timestamptz NOT NULL,
        until          timestamptz, -- end of the cycle; null: held for good
        orders         bigint NOT NULL,
        spend_minor    bigint NOT NULL, -- net of refunds
        growth         bigint NOT NULL,
        first_order_at timestamptz,
        last_order_at  timestamptz,
        changes        bigint NOT NULL -- counter of tier_history
) WITH (fillfactor = 70);

-- Net sums of one day in the shop's zone; a refund goes to the day of its order.
CREATE TABLE metric_days (
        customer_id uuid NOT NULL,
        day         date NOT NULL,
        orders      bigint NOT NULL,
        spend_minor bigint NOT NULL,
        growth      bigint NOT NULL,
        CONSTRAINT metric_days_pkey PRIMARY KEY (customer_id, day)
);

CREATE TABLE tier_history (
        customer_id uuid NOT NULL,
        change_no   bigint NOT NULL,
        tier_before text NOT NULL,
        tier_after  text NOT NULL,
        cause       text NOT NULL,
        order_id    uuid,
        created_at  timestamptz NOT NULL,
        CONSTRAINT tier_history_pkey PRIMARY KEY (customer_id, change_no)
);
