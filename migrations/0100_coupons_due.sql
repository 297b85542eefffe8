-- migrate:up
-- When the housekeeper next looks at a coupon, in place of two indexes over its state: so an order that uses a coupon changes nothing that is
-- indexed, and its row can stay in its page. What was used meanwhile is forgotten when its time comes.

ALTER TABLE coupons ADD COLUMN due_at timestamptz, -- NULL: never
        SET (fillfactor = 70); -- room for a second version in the same page
DROP INDEX coupons_lock_over, coupons_lapsing;
UPDATE coupons SET due_at = CASE state WHEN 'locked' THEN locked_until ELSE expires_at END
WHERE state IN ('locked', 'available') AND (state = 'locked' OR expires_at IS NOT NULL);
CREATE INDEX coupons_due ON coupons (due_at) WHERE due_at IS NOT NULL;
