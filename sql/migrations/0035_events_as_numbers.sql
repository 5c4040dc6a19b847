-- Funnels and tasks look for each user's events in sorted numbers, one for an event (analytics/moments.sql), and read what no pack
-- has once for all steps: in lists of this type, one for a pattern.
SET LOCAL ROLE weir_owner;

CREATE TYPE weir.moments AS (numbers bigint[], moments timestamptz[], values text[]);
COMMENT ON TYPE weir.moments IS 'Events that fit a pattern: their users, when they were, and a value of each, such as its country, or NULL.';
