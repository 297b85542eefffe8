-- migrate:up
-- What brought a coupon, where it has an id: the job or the order that issued it.

ALTER TABLE coupons ADD COLUMN origin_id uuid;
CREATE INDEX coupons_of_origin ON coupons (origin_id, id) WHERE origin_id IS NOT NULL;

-- Made anew, for of indexes that cost a planner the same on a table without statistics it takes the latest: and
-- by coupons_of_template alone each look-up of an issue would read every coupon of the template.
ALTER TABLE coupons DROP CONSTRAINT coupons_issue_key,
        ADD CONSTRAINT coupons_issue_key UNIQUE (template, issue_key);
