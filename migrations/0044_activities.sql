-- migrate:up
-- What customers do beside buying, and what it brought them.

CREATE TABLE activities (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL, -- from key
        key         text NOT NULL,
        type        text NOT NULL,
        code        text, -- of a custom one
        referred_id uuid, -- of a referral
        state       text NOT NULL,
        why         text, -- it brought nothing, or no longer
        points      bigint NOT NULL,
        growth      bigint NOT NULL,
        take_back   boolean NOT NULL, -- when the order that it was paid for is refunded
        seq         bigint, -- the ledger entry that paid the points; null: none did
        order_id    uuid, -- the referred customer's first order
        due_at      timestamptz, -- something is to be done about it
        occurred_at timestamptz NOT NULL,
        created_at  timestamptz NOT NULL,
        paid_at     timestamptz,
        outcome     text, -- the answer to the call: the same call again gets the same
        CONSTRAINT activities_pkey PRIMARY KEY (customer_id, id),
        CONSTRAINT activities_id_key UNIQUE (id)
);
CREATE INDEX activities_created ON activities (customer_id, created_at, id);
CREATE INDEX activities_paid ON activities (customer_id, type, occurred_at) WHERE paid_at IS NOT NULL;
CREATE INDEX activities_referred ON activities (referred_id) WHERE referred_id IS NOT NULL;
CREATE INDEX activities_due ON activities (due_at) WHERE due_at IS NOT NULL;
