-- migrate:up
-- Lines of a file can't be searched for somebody who is erased while it is worked on: they go when the work ends.

ALTER TABLE jobs ADD COLUMN forgotten boolean NOT NULL DEFAULT false;
