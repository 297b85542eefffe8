-- migrate:up
-- What merges leave behind: for how long they can be taken back, and for good.

-- The journal goes when its merge can't be undone any more.
ALTER TABLE merges ADD COLUMN journal_kept boolean NOT NULL DEFAULT true;
UPDATE merges SET journal_kept = false WHERE undone_at IS NOT NULL;
CREATE INDEX merges_journal_due ON merges (undo_until) WHERE journal_kept;

-- Entries of a ledger that came with a merge: before that they were somebody else's.
CREATE TABLE points_joined (
        customer_id uuid NOT NULL, -- whose ledger it is now
        merge_id    uuid NOT NULL,
        first_seq   bigint NOT NULL,
        last_seq    bigint NOT NULL,
        joined_at   timestamptz NOT NULL,
        CONSTRAINT points_joined_pkey PRIMARY KEY (customer_id, merge_id),
        CONSTRAINT points_joined_seq_check CHECK (first_seq BETWEEN 1 AND last_seq)
);
INSERT INTO points_joined (customer_id, merge_id, first_seq, last_seq, joined_at)
SELECT m.customer_id, m.id, (r.content ->> 'first')::bigint, (r.content ->> 'last')::bigint, m.created_at FROM merges m
JOIN merge_rows r ON r.customer_id = m.customer_id AND r.merge_id = m.id AND r.part = 'points_ledger'
WHERE m.undone_at IS NULL AND (r.content ->> 'first')::bigint <= (r.content ->> 'last')::bigint;
