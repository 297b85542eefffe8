-- migrate:up
-- Every contact with a customer.

CREATE TABLE interactions (
        customer_id  uuid NOT NULL,
        id           uuid NOT NULL, -- from external_id where there is one
        external_id  text,
        kind         text NOT NULL,
        direction    text NOT NULL,
        channel      text,
        agent        text,
        content      text,
        outcome      text,
        satisfaction bigint,
        occurred_at  timestamptz NOT NULL,
        created_at   timestamptz NOT NULL,
        CONSTRAINT interactions_pkey PRIMARY KEY (customer_id, id)
);
CREATE INDEX interactions_occurred ON interactions (customer_id, occurred_at, id);

-- When the customer first asked or filled a cart: it outlives the behaviour that was forgotten since.
ALTER TABLE customers ADD COLUMN inquired_at timestamptz;
