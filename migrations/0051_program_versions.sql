-- migrate:up
-- Why a version of the programme was stored.

ALTER TABLE programs
        ADD COLUMN note text,
        ADD COLUMN restored_version bigint; -- the version that it brought back; null: a document of its own
