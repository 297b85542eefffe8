-- migrate:up
-- The orders that lists can be asked for. A stock begins with its template or reward and is never taken away, so it
-- can say when that was first there; its counter changes with every issue, which an index must not slow down.

ALTER TABLE coupon_stocks ADD COLUMN created_at timestamptz;
UPDATE coupon_stocks s SET created_at = (SELECT min(t.created_at) FROM coupon_templates t WHERE t.code = s.template);
ALTER TABLE coupon_stocks ALTER COLUMN created_at SET NOT NULL;
CREATE INDEX coupon_stocks_created ON coupon_stocks (created_at, template);

ALTER TABLE reward_stocks ADD COLUMN created_at timestamptz;
UPDATE reward_stocks s SET created_at = (SELECT min(r.created_at) FROM rewards r WHERE r.code = s.reward);
ALTER TABLE reward_stocks ALTER COLUMN created_at SET NOT NULL;
CREATE INDEX reward_stocks_created ON reward_stocks (created_at, reward);

CREATE INDEX groups_name ON groups (name, code);
CREATE INDEX groups_members ON groups (members, code);
CREATE INDEX groups_created ON groups (created_at, code);
