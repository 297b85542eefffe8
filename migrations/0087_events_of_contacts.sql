-- migrate:up
-- The timeline reads events of a few kinds of one customer, and these are a small part of all: orders write none of them.

CREATE INDEX events_of_contacts ON events (customer_id, type, occurred_at) WHERE type IN ('customer.tagged', 'customer.untagged',
        'customer.suppressed', 'customer.unsuppressed', 'group.joined', 'group.left', 'customer.merged', 'customer.unmerged');
