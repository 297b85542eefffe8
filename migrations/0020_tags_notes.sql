-- migrate:up
-- What staff, segments and marketplaces call a customer, and what staff note about him.

CREATE TABLE customer_tags (
        customer_id uuid NOT NULL,
        kind        text NOT NULL, -- manual, rule, official
        tag         text NOT NULL,
        expires_at  timestamptz,   -- from then on it does not count; null: for good
        created_at  timestamptz NOT NULL,
        CONSTRAINT customer_tags_pkey PRIMARY KEY (customer_id, kind, tag)
);
CREATE INDEX customer_tags_tag ON customer_tags (tag, customer_id);
CREATE INDEX customer_tags_expiring ON customer_tags (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE customer_notes (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL,
        author      text,
        content     text NOT NULL,
        pinned      boolean NOT NULL,
        version     bigint NOT NULL,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        CONSTRAINT customer_notes_pkey PRIMARY KEY (customer_id, id)
);
