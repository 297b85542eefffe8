-- migrate:up
-- Since when silence counts against points without a date: since each programme's terms, or ones that end them no
-- sooner, came into force without a break.

ALTER TABLE programs ADD COLUMN silent_from timestamptz; -- null: ever, or its points do not lapse by inactivity

WITH terms AS (
        SELECT version, created_at, document #>> '{points,expiry,form}' AS form,
                coalesce((document #>> '{points,expiry,months}')::bigint, 0) AS months,
                coalesce(array_position(ARRAY['none', 'month', 'quarter', 'half_year', 'year'],
                        document #>> '{points,expiry,round_to}'), 1) AS round_to
        FROM programs),
begun AS (
        SELECT version, form, CASE WHEN form = 'inactivity' AND (lag(form) OVER versions IS DISTINCT FROM 'inactivity'
                OR months < lag(months) OVER versions OR round_to < lag(round_to) OVER versions) THEN created_at END AS at
        FROM terms WINDOW versions AS (ORDER BY version))
UPDATE programs p SET silent_from = b.latest
        FROM (SELECT version, form, max(at) OVER (ORDER BY version) AS latest FROM begun) AS b
        WHERE b.version = p.version AND b.form = 'inactivity';
