-- migrate:up
-- Who a shop's customers are. Ids are computed by the program: from external_id where there is one, else by time.

CREATE TABLE customers (
        id              uuid CONSTRAINT customers_pkey PRIMARY KEY,
        external_id     text CONSTRAINT customers_external_id_key UNIQUE,
        name            text,
        gender          text,
        birthday        text, -- MM-DD or YYYY-MM-DD
        language        text,
        country         text,
        province        text,
        city            text,
        district        text,
        owner           text,
        source_channel  text,
        source_detail   text,
        source_campaign text,
        referrer_id     uuid,
        attributes      jsonb,
        preferences     jsonb,
        version         bigint NOT NULL,
        created_at      timestamptz NOT NULL,
        updated_at      timestamptz NOT NULL
);
CREATE INDEX customers_created ON customers (created_at, id);

-- One person, one identity: whoever has (kind, value) is that customer.
CREATE TABLE customer_identities (
        kind        text NOT NULL,
        value       text NOT NULL,
        customer_id uuid NOT NULL,
        created_at  timestamptz NOT NULL,
        CONSTRAINT customer_identities_pkey PRIMARY KEY (kind, value)
);
CREATE INDEX customer_identities_customer ON customer_identities (customer_id);

-- An id that now means another customer: a later external_id, a rename, a merge.
CREATE TABLE customer_aliases (
        alias_id    uuid CONSTRAINT customer_aliases_pkey PRIMARY KEY,
        customer_id uuid NOT NULL,
        created_at  timestamptz NOT NULL
);
CREATE INDEX customer_aliases_customer ON customer_aliases (customer_id);
