-- migrate:up
-- Answers that are kept for a day, so that a retry under the same Idempotency-Key gets the first one's answer.
CREATE TABLE idempotency_keys (
        key_id text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        status integer NOT NULL,
        body text NOT NULL,
        location text,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key_id, key)
);
CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);
