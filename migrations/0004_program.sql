-- migrate:up
-- The loyalty programme, one document a version; the newest is in force.

CREATE TABLE programs (
        version    bigint CONSTRAINT programs_pkey PRIMARY KEY,
        document   jsonb NOT NULL,
        key_id     text, -- who changed it; null: the installation
        created_at timestamptz NOT NULL
);
