-- migrate:up
-- What brought a coupon, where it has an id: the job or the order that issued it.

ALTER TABLE coupons ADD COLUMN origin_id uuid;
CREATE INDEX coupons_of_origin ON coupons (origin_id, id) WHERE origin_id IS NOT NULL;
