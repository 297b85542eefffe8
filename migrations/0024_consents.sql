-- migrate:up
-- Who may be written to: what customers said themselves (the newest statement holds), and addresses that must not be used.

CREATE TABLE consents (
        customer_id uuid NOT NULL,
        channel     text NOT NULL,
        state       text NOT NULL,
        source      text,
        evidence    text,
        occurred_at timestamptz NOT NULL,
        changes     bigint NOT NULL, -- rows of consent_changes
        CONSTRAINT consents_pkey PRIMARY KEY (customer_id, channel)
);

CREATE TABLE consent_changes (
        customer_id uuid NOT NULL,
        channel     text NOT NULL,
        change_no   bigint NOT NULL,
        id          uuid NOT NULL,
        state       text NOT NULL,
        source      text,
        evidence    text,
        occurred_at timestamptz NOT NULL, -- when it was said
        created_at  timestamptz NOT NULL, -- when it was recorded
        CONSTRAINT consent_changes_pkey PRIMARY KEY (customer_id, channel, change_no)
);

CREATE TABLE suppressions (
        customer_id uuid NOT NULL,
        channel     text NOT NULL,
        reason      text NOT NULL,
        detail      text,
        created_at  timestamptz NOT NULL,
        CONSTRAINT suppressions_pkey PRIMARY KEY (customer_id, channel)
);
