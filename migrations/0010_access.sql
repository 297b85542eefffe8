-- migrate:up
-- Keys that rotate, stay in their networks and keep to a rate; and who did what.

ALTER TABLE access_keys
        ADD COLUMN networks        text[] NOT NULL DEFAULT '{}', -- CIDR; empty: from everywhere
        ADD COLUMN rate_per_second bigint,                       -- null: no limit
        ADD COLUMN rate_burst      bigint,
        ADD COLUMN last_used_at    timestamptz,
        ADD COLUMN secret_no       bigint NOT NULL DEFAULT 1,    -- counts rotations
        ADD COLUMN previous_hash   bytea,                        -- of the secret before the last rotation
        ADD COLUMN previous_until  timestamptz,
        ADD CONSTRAINT access_keys_rate_check
                CHECK ((rate_per_second IS NULL) = (rate_burst IS NULL) AND rate_per_second > 0 AND rate_burst > 0),
        ADD CONSTRAINT access_keys_previous_check
                CHECK ((previous_hash IS NULL) = (previous_until IS NULL) AND octet_length(previous_hash) = 32);

-- Each write, and each look at somebody's personal data. The id holds the time; the nil customer means: about nobody in
-- particular. All that may be personal is in reason, changes and personal, so that erasing somebody is one UPDATE.
CREATE TABLE audit_log (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL,
        kind        text NOT NULL CONSTRAINT audit_log_kind_check CHECK (kind IN ('write', 'read')),
        operation   text NOT NULL,
        key_id      text, -- null: the command line, or the server by itself
        request_id  text,
        reason      text,
        subject     text, -- what changed, where changes are told
        changes     jsonb, -- each field with before and after, personal data masked
        personal    jsonb, -- the same of personal data, in full
        at          timestamptz NOT NULL,
        CONSTRAINT audit_log_pkey PRIMARY KEY (customer_id, id)
);
CREATE INDEX audit_log_id ON audit_log (id);
CREATE INDEX audit_log_key ON audit_log (key_id, id);
