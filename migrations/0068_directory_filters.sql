-- migrate:up
-- One narrow row for each customer holds all that lists are filtered and sorted by, so that whoever passes several filters is found
-- in one table; what is searched in stands apart.

CREATE TABLE customer_directory (
        customer_id    uuid CONSTRAINT customer_directory_pkey PRIMARY KEY,
        created_at     timestamptz NOT NULL,
        updated_at     timestamptz NOT NULL,
        version        bigint NOT NULL, -- of the profile
        last_order_at  timestamptz NOT NULL, -- -infinity: none
        orders         bigint NOT NULL,
        spend_minor    bigint NOT NULL,
        growth         bigint NOT NULL,
        points_active  bigint NOT NULL,
        birth_day      smallint, -- month * 100 + day
        paid           boolean NOT NULL, -- an order counted once
        inquired       boolean NOT NULL,
        has_phone      boolean NOT NULL,
        has_email      boolean NOT NULL,
        tier           text NOT NULL,
        name           text COLLATE "zh-x-icu" NOT NULL, -- '' when unknown
        gender         text,
        language       text,
        country        text,
        province       text,
        city           text,
        district       text,
        owner          text,
        channel        text,
        campaign       text
);
INSERT INTO customer_directory (customer_id, created_at, updated_at, version, last_order_at, orders, spend_minor, growth,
        points_active, birth_day, paid, inquired, has_phone, has_email, tier, name, gender, language, country, province, city, district, owner, channel,
        campaign)
SELECT s.customer_id, s.created_at, s.updated_at, c.version, m.last_order_at, m.orders, m.spend_minor, m.growth, m.points_active,
        replace(right(c.birthday, 5), '-', '')::smallint, m.paid, s.inquired, s.has_phone, s.has_email, m.tier, s.name, c.gender,
        s.language, s.country, s.province, s.city, c.district, s.owner, s.channel, c.source_campaign
FROM customer_search s JOIN customer_metrics m ON m.customer_id = s.customer_id JOIN customers c ON c.id = s.customer_id;
DROP TABLE customer_metrics;
ALTER TABLE customer_search DROP COLUMN created_at, DROP COLUMN updated_at, DROP COLUMN name, DROP COLUMN language, DROP COLUMN country,
        DROP COLUMN province, DROP COLUMN city, DROP COLUMN owner, DROP COLUMN channel, DROP COLUMN has_phone, DROP COLUMN has_email,
        DROP COLUMN inquired;

-- Orders of the list.
CREATE INDEX customer_directory_created ON customer_directory (created_at, customer_id);
CREATE INDEX customer_directory_updated ON customer_directory (updated_at, customer_id);
CREATE INDEX customer_directory_name ON customer_directory (name, customer_id);
CREATE INDEX customer_directory_last_order ON customer_directory (last_order_at, customer_id);
CREATE INDEX customer_directory_orders ON customer_directory (orders, customer_id);
CREATE INDEX customer_directory_spend ON customer_directory (spend_minor, customer_id);
CREATE INDEX customer_directory_growth ON customer_directory (growth, customer_id);
CREATE INDEX customer_directory_points ON customer_directory (points_active, customer_id);

-- Filters that leave few. Who spent most within a tier is asked so often, and lies so far behind those of higher tiers, that it has
-- an order of its own.
CREATE INDEX customer_directory_tier ON customer_directory (tier, spend_minor, customer_id);
CREATE INDEX customer_directory_province ON customer_directory (province) WHERE province IS NOT NULL;
CREATE INDEX customer_directory_city ON customer_directory (city, district) WHERE city IS NOT NULL;
CREATE INDEX customer_directory_owner ON customer_directory (owner) WHERE owner IS NOT NULL;
CREATE INDEX customer_directory_campaign ON customer_directory (campaign) WHERE campaign IS NOT NULL;
CREATE INDEX customer_directory_birth_day ON customer_directory (birth_day) WHERE birth_day IS NOT NULL;

-- Read without the tables' rows.
DROP INDEX customer_tags_tag;
CREATE INDEX customer_tags_tag ON customer_tags (tag, customer_id) INCLUDE (expires_at);
DROP INDEX group_members_group;
CREATE INDEX group_members_group ON group_members (group_id, customer_id) INCLUDE (left_at);

-- A city lies in one province: multiplied chances would say that there is hardly anybody.
CREATE STATISTICS customer_directory_region (dependencies) ON province, city, district FROM customer_directory;
-- So many samples tell a word that one in a thousand has from one that everybody has.
ALTER TABLE customer_search ALTER COLUMN content SET STATISTICS 1000;
