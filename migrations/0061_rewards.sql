-- migrate:up
-- Rewards that points buy: the catalogue in versions, what of each is taken, and who redeemed what.

CREATE TABLE rewards (
        code            text NOT NULL,
        version         bigint NOT NULL, -- every version stays: a redemption keeps the one it was made under
        name            text NOT NULL,
        kind            text NOT NULL,
        points          bigint NOT NULL CONSTRAINT rewards_points_check CHECK (points > 0),
        stock           bigint,
        customer_limit  bigint,
        limit_days      bigint,
        condition       text,
        valid_from      date,
        valid_until     date,
        redeem_days     bigint NOT NULL,
        coupon_template text,
        trial_tier      text,
        trial_days      bigint,
        active          boolean NOT NULL,
        created_at      timestamptz NOT NULL, -- of this version
        CONSTRAINT rewards_pkey PRIMARY KEY (code, version)
);

-- As with coupons: this row is locked from the count to the commit, and by nothing else.
CREATE TABLE reward_stocks (
        reward text NOT NULL,
        taken  bigint NOT NULL CONSTRAINT reward_stocks_taken_check CHECK (taken >= 0),
        CONSTRAINT reward_stocks_pkey PRIMARY KEY (reward)
);

CREATE TABLE reward_redemptions (
        customer_id    uuid NOT NULL,
        id             uuid NOT NULL,
        reward         text NOT NULL,
        reward_version bigint NOT NULL,
        state          text NOT NULL,
        points         bigint NOT NULL CONSTRAINT reward_redemptions_points_check CHECK (points > 0),
        hold_id        uuid NOT NULL, -- the points
        coupon         text, -- the code that it issued
        reason         text, -- of its end, as the caller said
        created_at     timestamptz NOT NULL,
        expires_at     timestamptz NOT NULL,
        resolved_at    timestamptz,
        CONSTRAINT reward_redemptions_pkey PRIMARY KEY (customer_id, id),
        CONSTRAINT reward_redemptions_resolved_check CHECK ((state = 'issued') = (resolved_at IS NULL))
);
CREATE INDEX reward_redemptions_due ON reward_redemptions (expires_at) WHERE state = 'issued';

ALTER TABLE points_holds ADD COLUMN redemption_id uuid; -- only it resolves the hold
