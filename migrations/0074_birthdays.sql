-- migrate:up
-- What birthdays brought, so that a year brings it once, and how far the housekeeper has looked.

CREATE TABLE birthday_gifts (
        customer_id uuid NOT NULL,
        rule        text NOT NULL, -- of the programme
        occasion    date NOT NULL, -- the birthday, or the first of its month
        points      bigint NOT NULL,
        given_at    timestamptz NOT NULL,
        CONSTRAINT birthday_gifts_pkey PRIMARY KEY (customer_id, rule, occasion)
);

CREATE TABLE birthday_passes (
        rule    text CONSTRAINT birthday_passes_pkey PRIMARY KEY,
        done_on date NOT NULL -- the shop's last day on which everybody was looked at
);

-- By month and day, with or without a year.
CREATE INDEX customers_birthday ON customers (right(birthday, 5), id) WHERE birthday IS NOT NULL;
