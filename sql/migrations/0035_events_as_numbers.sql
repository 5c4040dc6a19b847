-- Funnels and tasks look for each user's events in sorted numbers, one for an event (analytics/moments.sql), and read what no pack
-- has once for all steps: as a list of this type.
SET LOCAL ROLE weir_owner;

CREATE TYPE weir.moment AS (place integer, number bigint, at timestamptz, value text);
COMMENT ON TYPE weir.moment IS 'An event: which of several patterns it fits, its user, when it was, and a value of it, such as its country.';
