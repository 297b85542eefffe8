-- migrate:up
-- Who was erased. What must stay (orders, points) belongs from then on to somebody without a name under an id that nothing leads to.

ALTER TABLE customers ADD COLUMN erased boolean NOT NULL DEFAULT false;

-- Ids that answer "erased" until somebody new has them. Neither when nor what became of them: it would lead to the orders.
CREATE TABLE erased_customers (
        id uuid CONSTRAINT erased_customers_pkey PRIMARY KEY
);
