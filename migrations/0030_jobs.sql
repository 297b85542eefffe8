-- migrate:up
-- Imports: the job, the file's lines as they wait, and what became of them. Blocks of lines are one row each
-- (lib/jobs/pack.h).

CREATE TABLE jobs (
        id           uuid CONSTRAINT jobs_pkey PRIMARY KEY,
        type         text NOT NULL,
        status       text NOT NULL, -- receiving: the file is still coming in, and the job is not shown
        mode         text NOT NULL,
        dry_run      boolean NOT NULL,
        backfill     boolean NOT NULL,
        format       text NOT NULL,
        columns      text[], -- of the CSV header
        key_id       text,
        total        bigint NOT NULL, -- lines
        chunks       bigint NOT NULL,
        processed    bigint NOT NULL,
        succeeded    bigint NOT NULL,
        failed       bigint NOT NULL,
        detail       text, -- why it failed as a whole
        attempt      bigint NOT NULL, -- counts the servers that took it on; the latest one alone may write
        heartbeat_at timestamptz, -- of the server that works on it; null: nobody does
        created_at   timestamptz NOT NULL,
        started_at   timestamptz,
        completed_at timestamptz,
        expires_at   timestamptz,
        CONSTRAINT jobs_counts_check CHECK (processed = succeeded + failed)
);
CREATE INDEX jobs_created ON jobs (created_at, id);
CREATE INDEX jobs_open ON jobs (created_at) WHERE status IN ('receiving', 'queued', 'running', 'canceling');
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE job_chunks (
        job_id     uuid NOT NULL,
        chunk_no   bigint NOT NULL, -- from 0
        first_line bigint NOT NULL,
        lines      bigint NOT NULL,
        body       bytea NOT NULL,
        CONSTRAINT job_chunks_pkey PRIMARY KEY (job_id, chunk_no)
);
-- read once or twice in its life: packing it would cost more than the bytes
ALTER TABLE job_chunks ALTER COLUMN body SET STORAGE EXTERNAL;

-- Written in the transaction of the lines' effects: a line is done when, and only when, it stands here.
CREATE TABLE job_results (
        job_id     uuid NOT NULL,
        chunk_no   bigint NOT NULL,
        first_line bigint NOT NULL, -- the smallest in this block; a chunk may be done in several
        lines      bigint NOT NULL,
        failed     bigint NOT NULL,
        body       bytea NOT NULL,
        CONSTRAINT job_results_pkey PRIMARY KEY (job_id, chunk_no, first_line)
);

CREATE INDEX refunds_created ON refunds (created_at, order_id, id);
