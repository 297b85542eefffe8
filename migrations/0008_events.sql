-- migrate:up
-- What happened, written in the transaction in which it did. Readers take only what lies below every open transaction.

CREATE TABLE events (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL,
        type        text NOT NULL,
        payload     jsonb NOT NULL,
        occurred_at timestamptz NOT NULL,
        xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
        CONSTRAINT events_pkey PRIMARY KEY (customer_id, id)
);
