-- migrate:up
-- Where each order came from in full, and who referred a customer.

ALTER TABLE orders ADD COLUMN channel_detail text, ADD COLUMN campaign text, ADD COLUMN referrer_id uuid;
CREATE INDEX orders_campaign ON orders (campaign, placed_at, id) WHERE campaign IS NOT NULL;
CREATE INDEX orders_referrer ON orders (referrer_id, placed_at, id) WHERE referrer_id IS NOT NULL;
CREATE INDEX customers_referrer ON customers (referrer_id) WHERE referrer_id IS NOT NULL;
CREATE INDEX merge_rows_referrer ON merge_rows ((content ->> 'referrer_id')) WHERE content ->> 'referrer_id' IS NOT NULL;

-- Whose source once named a referrer: an erasure looks for him there.
CREATE INDEX audit_log_referrers ON audit_log (customer_id) WHERE changes #>> '{source,before,referrer_id}' IS NOT NULL
        OR changes #>> '{source,after,referrer_id}' IS NOT NULL;

-- Referrals that came as activities, of people who had not bought yet, say it of the sources too.
WITH referred AS (
        UPDATE customers c SET referrer_id = a.customer_id, source_channel = coalesce(c.source_channel, 'referral')
        FROM (SELECT DISTINCT ON (referred_id) referred_id, customer_id FROM activities
              WHERE referred_id <> customer_id AND coalesce(why, '') NOT IN ('already_customer', 'already_referred', 'no_rule')
              ORDER BY referred_id, created_at, id) AS a
        JOIN customers r ON r.id = a.customer_id AND NOT r.erased
        WHERE c.id = a.referred_id AND c.referrer_id IS NULL AND NOT c.erased
        RETURNING c.id)
INSERT INTO customer_changes (customer_id) SELECT id FROM referred;
