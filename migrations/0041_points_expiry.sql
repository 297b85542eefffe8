-- migrate:up
-- When points lapse: with their lot, or when nothing has moved for long.

ALTER TABLE points_accounts ADD COLUMN moved_at timestamptz; -- points were last earned or spent; null: never
ALTER TABLE points_accounts ADD COLUMN warned_at timestamptz; -- that nothing has moved; null: never
UPDATE points_accounts a SET moved_at = l.at
        FROM (SELECT customer_id, max(created_at) AS at FROM points_ledger WHERE kind IN ('earn', 'spend') GROUP BY customer_id) AS l
        WHERE l.customer_id = a.customer_id;

ALTER TABLE points_lots ADD COLUMN warned boolean NOT NULL DEFAULT false; -- that it will lapse
CREATE INDEX points_lots_lapsing ON points_lots (expires_at) WHERE expires_at IS NOT NULL AND remaining > 0;
CREATE INDEX points_lots_to_warn ON points_lots (expires_at) WHERE expires_at IS NOT NULL AND remaining > 0 AND NOT warned;
