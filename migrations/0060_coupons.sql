-- migrate:up
-- Coupons: what they promise (versions of templates), the coupons themselves, and what became of each.

CREATE TABLE coupon_templates (
        code               text NOT NULL,
        version            bigint NOT NULL, -- every version stays: a coupon keeps the one it was issued under
        name               text NOT NULL,
        kind               text NOT NULL,
        off_minor          bigint NOT NULL,
        off_permille       bigint NOT NULL,
        max_off_minor      bigint,
        threshold_minor    bigint NOT NULL,
        goods              text, -- condition on a line
        valid_from         date,
        valid_until        date,
        valid_days         bigint,
        per_customer_limit bigint,
        total_limit        bigint,
        with_tier_discount  boolean NOT NULL,
        with_full_reduction boolean NOT NULL,
        with_points         boolean NOT NULL,
        with_coupons        boolean NOT NULL,
        returns_on_refund  boolean NOT NULL,
        returned_days      bigint NOT NULL,
        active             boolean NOT NULL,
        created_at         timestamptz NOT NULL, -- of this version
        CONSTRAINT coupon_templates_pkey PRIMARY KEY (code, version)
);

-- Counted apart from the template: this row is locked from the count to the commit, and by nothing else.
CREATE TABLE coupon_stocks (
        template text NOT NULL,
        issued   bigint NOT NULL CONSTRAINT coupon_stocks_issued_check CHECK (issued >= 0),
        CONSTRAINT coupon_stocks_pkey PRIMARY KEY (template)
);

-- A coupon belongs to a customer or, without one, to whoever bears it; so its key is its code.
CREATE TABLE coupons (
        code             text NOT NULL,
        id               uuid NOT NULL,
        template         text NOT NULL,
        template_version bigint NOT NULL,
        customer_id      uuid,
        state            text NOT NULL,
        source           text NOT NULL, -- what issued it
        issue_key        text, -- natural key of the issue
        valid_from       timestamptz NOT NULL,
        expires_at       timestamptz,
        session          text, -- of the lock
        locked_at        timestamptz,
        locked_until     timestamptz,
        used_by          uuid, -- the customer who redeemed it
        order_id         uuid, -- the order that did
        redemption       text, -- or the shop's own name for what did
        off_minor        bigint NOT NULL,
        redeemed_at      timestamptz,
        changes          bigint NOT NULL, -- counter of coupon_history
        created_at       timestamptz NOT NULL,
        CONSTRAINT coupons_pkey PRIMARY KEY (code),
        CONSTRAINT coupons_id_key UNIQUE (id),
        CONSTRAINT coupons_issue_key UNIQUE (template, issue_key),
        CONSTRAINT coupons_redeemed_check CHECK ((state = 'redeemed') = (redeemed_at IS NOT NULL)),
        CONSTRAINT coupons_locked_check CHECK ((state = 'locked') = (locked_until IS NOT NULL))
);
CREATE INDEX coupons_of_customer ON coupons (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX coupons_of_template ON coupons (template, id);
CREATE INDEX coupons_lock_over ON coupons (locked_until) WHERE state = 'locked';
CREATE INDEX coupons_lapsing ON coupons (expires_at) WHERE state = 'available' AND expires_at IS NOT NULL;

CREATE TABLE coupon_history (
        code        text NOT NULL,
        change_no   bigint NOT NULL,
        action      text NOT NULL,
        state       text NOT NULL, -- after it
        customer_id uuid,
        order_id    uuid,
        reference   text,
        created_at  timestamptz NOT NULL,
        CONSTRAINT coupon_history_pkey PRIMARY KEY (code, change_no)
);
