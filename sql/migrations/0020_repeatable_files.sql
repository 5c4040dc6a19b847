-- Files beside the numbered ones, which are applied again whenever they change: functions that only read,
-- so that a correction needs no new number (sql/README.md).
SET LOCAL ROLE weir_owner;

CREATE TABLE weir.repeatable_files (
  name text PRIMARY KEY,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE weir.repeatable_files IS
  'One row for each file of sql/analytics as weirctl migrate has applied it last; checksum is SHA-256.';
GRANT SELECT ON weir.repeatable_files TO weir_flusher, weir_reader;

-- What one server can say of its own users, in figures that are added to those of the others.
CREATE TYPE weir.part AS (figure text, key text, amount numeric);
COMMENT ON TYPE weir.part IS 'One figure of an answer''s partial, such as (active_7, '''', 120) or (new, 2026-03-01, 4).';
