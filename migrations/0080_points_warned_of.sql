-- migrate:up
-- Points that come back after a warning are warned of too: how many of a lot's were there when it was warned of.

ALTER TABLE points_lots ADD COLUMN warned_of bigint; -- null: not warned, or before this was kept
