-- migrate:up
-- Orders, what was asked about them (calls, for replays) and what was given back.

CREATE TABLE orders (
        customer_id     uuid NOT NULL CONSTRAINT orders_customer_id_fkey REFERENCES customers (id),
        id              uuid NOT NULL, -- from external_id
        external_id     text NOT NULL,
        status          text NOT NULL,
        channel         text NOT NULL,
        currency        text NOT NULL,
        coupon          text,
        goods_minor     bigint NOT NULL, -- sum of the lines' totals
        shipping_minor  bigint NOT NULL,
        discount_minor  bigint NOT NULL,
        total_minor     bigint NOT NULL,
        refunded_minor  bigint NOT NULL CONSTRAINT orders_refunded_check CHECK (refunded_minor BETWEEN 0 AND total_minor),
        refunded_shipping_minor bigint NOT NULL,
        points_earned   bigint NOT NULL,
        growth_earned   bigint NOT NULL,
        points_reversed bigint NOT NULL,
        growth_reversed bigint NOT NULL,
        awarded         boolean NOT NULL,
        counted_on      date, -- the day, in the shop's zone, from which it counts; null: not yet
        placed_at       timestamptz NOT NULL,
        paid_at         timestamptz,
        shipped_at      timestamptz,
        delivered_at    timestamptz,
        completed_at    timestamptz,
        cancelled_at    timestamptz,
        line_count      bigint NOT NULL,
        calls           bigint NOT NULL, -- counter of order_calls
        version         bigint NOT NULL,
        created_at      timestamptz NOT NULL,
        updated_at      timestamptz NOT NULL,
        CONSTRAINT orders_pkey PRIMARY KEY (customer_id, id),
        CONSTRAINT orders_id_key UNIQUE (id)
);
CREATE INDEX orders_placed ON orders (placed_at, id);

CREATE TABLE order_lines (
        customer_id       uuid NOT NULL,
        order_id          uuid NOT NULL,
        line_no           bigint NOT NULL,
        sku               text NOT NULL,
        name              text,
        category          text,
        brand             text,
        quantity          bigint NOT NULL,
        unit_price_minor  bigint,
        discount_minor    bigint NOT NULL,
        total_minor       bigint NOT NULL,
        cost_minor        bigint,
        paid_minor        bigint NOT NULL, -- total less its share of the order's discount
        points            bigint NOT NULL, -- its share of what the order earned
        growth            bigint NOT NULL,
        refunded_quantity bigint NOT NULL,
        refunded_minor    bigint NOT NULL,
        CONSTRAINT order_lines_pkey PRIMARY KEY (customer_id, order_id, line_no),
        CONSTRAINT order_lines_refunded_check
                CHECK (refunded_quantity BETWEEN 0 AND quantity AND refunded_minor BETWEEN 0 AND paid_minor)
);

-- Every accepted call and its answer: the same call again gets the same answer.
CREATE TABLE order_calls (
        customer_id uuid NOT NULL,
        order_id    uuid NOT NULL,
        call_no     bigint NOT NULL,
        fingerprint bytea NOT NULL,
        outcome     text NOT NULL,
        created_at  timestamptz NOT NULL,
        CONSTRAINT order_calls_pkey PRIMARY KEY (customer_id, order_id, call_no)
);

CREATE TABLE refunds (
        customer_id     uuid NOT NULL,
        order_id        uuid NOT NULL,
        id              uuid NOT NULL, -- from the order and external_id
        external_id     text NOT NULL,
        amount_minor    bigint NOT NULL,
        shipping_minor  bigint NOT NULL,
        points_reversed bigint NOT NULL,
        growth_reversed bigint NOT NULL,
        reason          text,
        fingerprint     bytea, -- null, with the outcome: the order was cancelled
        outcome         text,
        created_at      timestamptz NOT NULL,
        CONSTRAINT refunds_pkey PRIMARY KEY (customer_id, order_id, id)
);

CREATE TABLE refund_lines (
        customer_id  uuid NOT NULL,
        order_id     uuid NOT NULL,
        refund_id    uuid NOT NULL,
        line_no      bigint NOT NULL,
        quantity     bigint NOT NULL,
        amount_minor bigint NOT NULL,
        points       bigint NOT NULL,
        growth       bigint NOT NULL,
        CONSTRAINT refund_lines_pkey PRIMARY KEY (customer_id, order_id, refund_id, line_no)
);
