-- migrate:up

-- What was decided when the database was set up: one row, written by the first start and never changed by the server.
CREATE TABLE installation (
        id boolean NOT NULL DEFAULT true,
        hash_key bytea NOT NULL,            -- keys the hashes of access_keys
        currency text NOT NULL,
        zone text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT installation_pkey PRIMARY KEY (id),
        CONSTRAINT installation_one_row_check CHECK (id),
        CONSTRAINT installation_hash_key_check CHECK (octet_length(hash_key) = 32),
        CONSTRAINT installation_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE TABLE access_keys (
        id text NOT NULL,
        hash bytea NOT NULL,
        name text NOT NULL,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT access_keys_pkey PRIMARY KEY (id),
        CONSTRAINT access_keys_id_check CHECK (id ~ '^[0-9a-f]{12}$'),
        CONSTRAINT access_keys_hash_check CHECK (octet_length(hash) = 32),
        CONSTRAINT access_keys_scopes_check CHECK (cardinality(scopes) > 0)
);
