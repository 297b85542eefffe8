-- migrate:up
-- Cycles end, pins override: what the judging by time alone needs.

ALTER TABLE tier_standings ADD COLUMN noticed_until timestamptz; -- the end of the cycle that a notice was given for
ALTER TABLE tier_standings ADD COLUMN pin_tier text; -- overrides tier until pin_until, then tier holds again
ALTER TABLE tier_standings ADD COLUMN pin_until timestamptz;
ALTER TABLE tier_standings ADD COLUMN pin_reason text;
CREATE INDEX tier_standings_until ON tier_standings (until) WHERE until IS NOT NULL;
CREATE INDEX tier_standings_pinned ON tier_standings (pin_until) WHERE pin_until IS NOT NULL;
