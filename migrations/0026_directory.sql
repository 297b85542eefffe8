-- migrate:up
-- The directory: copies of what lists of customers are searched, filtered and sorted by, so that the tables of orders and points
-- need no index for it. Whoever changes such a thing notes the customer in customer_changes; the directory catches up from there.

CREATE TABLE customer_changes (
        customer_id uuid NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE customer_search (
        customer_id uuid CONSTRAINT customer_search_pkey PRIMARY KEY,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        name        text COLLATE "zh-x-icu" NOT NULL, -- '' when unknown
        language    text,
        country     text,
        province    text,
        city        text,
        owner       text,
        channel     text,
        has_phone   boolean NOT NULL,
        has_email   boolean NOT NULL,
        inquired    boolean NOT NULL,
        content     text NOT NULL,    -- what is searched, one field a line, in lower case
        pieces      tsvector NOT NULL -- of content, up to three characters from every place
);
CREATE INDEX customer_search_created ON customer_search (created_at, customer_id);
CREATE INDEX customer_search_updated ON customer_search (updated_at, customer_id);
CREATE INDEX customer_search_name ON customer_search (name, customer_id);
CREATE INDEX customer_search_province ON customer_search (province, city) WHERE province IS NOT NULL;
CREATE INDEX customer_search_owner ON customer_search (owner) WHERE owner IS NOT NULL;
CREATE INDEX customer_search_pieces ON customer_search USING gin (pieces);

CREATE TABLE customer_metrics (
        customer_id    uuid CONSTRAINT customer_metrics_pkey PRIMARY KEY,
        tier           text NOT NULL,
        orders         bigint NOT NULL,
        spend_minor    bigint NOT NULL,
        growth         bigint NOT NULL,
        points_active  bigint NOT NULL,
        paid           boolean NOT NULL,    -- an order counted once
        last_order_at  timestamptz NOT NULL -- -infinity: none
);
CREATE INDEX customer_metrics_orders ON customer_metrics (orders, customer_id);
CREATE INDEX customer_metrics_spend ON customer_metrics (spend_minor, customer_id);
CREATE INDEX customer_metrics_growth ON customer_metrics (growth, customer_id);
CREATE INDEX customer_metrics_points ON customer_metrics (points_active, customer_id);
CREATE INDEX customer_metrics_last_order ON customer_metrics (last_order_at, customer_id);
CREATE INDEX customer_metrics_tier ON customer_metrics (tier);

INSERT INTO customer_changes (customer_id) SELECT id FROM customers;
