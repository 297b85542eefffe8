\set n random(0, :customers - 1)
SELECT active, pending, held, debt, lifetime_earned, lifetime_spent, lifetime_expired
FROM points_accounts
WHERE customer_id = md5('load-' || :n)::uuid;
