-- migrate:up
-- Two customers that became one, and all that it takes to undo it: what was moved, and what was there before.

CREATE TABLE merges (
        customer_id uuid NOT NULL, -- who remains
        id          uuid NOT NULL,
        absorbed_id uuid NOT NULL,
        created_at  timestamptz NOT NULL,
        undo_until  timestamptz NOT NULL,
        undone_at   timestamptz,
        undo_reason text,
        CONSTRAINT merges_pkey PRIMARY KEY (customer_id, id)
);
CREATE INDEX merges_id ON merges (id);

-- One row of the absorbed customer's (or, marked, one of the survivor's own as it was), with the columns that the undoing needs.
CREATE TABLE merge_rows (
        customer_id uuid NOT NULL,
        merge_id    uuid NOT NULL,
        part        text NOT NULL, -- a table, or "survivor" and a table
        moved       boolean NOT NULL, -- false: the survivor had one already
        content     jsonb NOT NULL
);
CREATE INDEX merge_rows_merge ON merge_rows (customer_id, merge_id, part);

-- A second e-mail or phone that came with a merge: it still recognises the customer, the first one is shown.
ALTER TABLE customer_identities ADD COLUMN secondary boolean NOT NULL DEFAULT false;
