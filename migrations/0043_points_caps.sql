-- migrate:up
-- What a rule, or the programme as a whole, brought a customer on a day of the shop, counted where a cap by day or month asks
-- for it. Refunds don't lower it: what was earned that day was earned.

CREATE TABLE points_cap_days (
        customer_id uuid NOT NULL,
        day         date NOT NULL,
        rule        text NOT NULL, -- code of the rule; 'program': all of them
        points      bigint NOT NULL CONSTRAINT points_cap_days_points_check CHECK (points > 0),
        CONSTRAINT points_cap_days_pkey PRIMARY KEY (customer_id, day, rule)
);
