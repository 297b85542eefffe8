-- migrate:up
-- Groups of customers; a group with a platform is a community out there, and its members come and leave.

CREATE TABLE groups (
        id           uuid CONSTRAINT groups_pkey PRIMARY KEY, -- from code
        code         text NOT NULL CONSTRAINT groups_code_key UNIQUE,
        platform     text, -- null: a static group of the shop's own
        name         text NOT NULL,
        introduction text,
        invite_link  text,
        members      bigint NOT NULL CONSTRAINT groups_members_check CHECK (members >= 0), -- those who have not left
        version      bigint NOT NULL,
        created_at   timestamptz NOT NULL,
        updated_at   timestamptz NOT NULL
);

CREATE TABLE group_members (
        customer_id uuid NOT NULL,
        group_id    uuid NOT NULL,
        joined_at   timestamptz NOT NULL,
        left_at     timestamptz, -- null: is a member
        CONSTRAINT group_members_pkey PRIMARY KEY (customer_id, group_id)
);
CREATE INDEX group_members_group ON group_members (group_id, customer_id);
