-- migrate:up
-- Points given and taken by hand, the approval that large ones need, and who did what in the ledger.

ALTER TABLE points_ledger
        ADD COLUMN lot_no bigint, -- of an activation: the lot that became active
        ADD COLUMN actor  text,   -- the key that asked for it; null: time, or the command line
        ADD COLUMN reason text;

CREATE TABLE points_adjustments (
        customer_id uuid NOT NULL,
        id          uuid NOT NULL, -- from external_id, where there is one
        external_id text,
        state       text NOT NULL,
        points      bigint NOT NULL CONSTRAINT points_adjustments_points_check CHECK (points <> 0),
        reason      text NOT NULL,
        expiry      text NOT NULL,
        expires_at  timestamptz,
        allow_debt  boolean NOT NULL,
        approval_id uuid,
        item_no     bigint NOT NULL, -- its place in the request
        seq         bigint, -- the ledger entry that booked it; null: none did
        refusal     text, -- why an approved one could not be booked
        key_id      text, -- who asked for it
        created_at  timestamptz NOT NULL,
        resolved_at timestamptz,
        CONSTRAINT points_adjustments_pkey PRIMARY KEY (customer_id, id),
        CONSTRAINT points_adjustments_booked_check CHECK ((seq IS NOT NULL) = (state = 'applied'))
);
CREATE INDEX points_adjustments_approval ON points_adjustments (approval_id, item_no) WHERE approval_id IS NOT NULL;
CREATE INDEX points_adjustments_seq ON points_adjustments (customer_id, seq);

-- One for each request that was too large for one pair of eyes.
CREATE TABLE points_approvals (
        id           uuid CONSTRAINT points_approvals_pkey PRIMARY KEY,
        state        text NOT NULL,
        items        bigint NOT NULL,
        points_given bigint NOT NULL,
        points_taken bigint NOT NULL,
        requested_by text,
        decided_by   text,
        reason       text, -- of the decision
        created_at   timestamptz NOT NULL,
        decided_at   timestamptz,
        CONSTRAINT points_approvals_eyes_check CHECK (decided_by <> requested_by),
        CONSTRAINT points_approvals_decided_check CHECK ((decided_at IS NULL) = (state = 'pending'))
);
CREATE INDEX points_approvals_pending ON points_approvals (id) WHERE state = 'pending';
