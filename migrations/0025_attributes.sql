-- migrate:up
-- What a shop's own attributes of customers may hold.

CREATE TABLE attribute_definitions (
        name       text CONSTRAINT attribute_definitions_pkey PRIMARY KEY,
        type       text NOT NULL,
        label      text,
        min        bigint,
        max        bigint,
        choices    text[],
        visibility text NOT NULL,
        version    bigint NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
);
