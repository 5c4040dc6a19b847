-- Sets of users are unpacked each time they are read, and key figures read thousands of them: with the compression that PostgreSQL has in any case,
-- that was a quarter of what such an answer took. Where PostgreSQL was built with lz4, as packs have it (0027), they unpack in a third of the time.
-- Those that are there are written once more, row by row: to have the tables written anew would take the rows away from who reads meanwhile.
SET LOCAL ROLE weir_owner;

DO $$
BEGIN
  ALTER TABLE weir.day_sets ALTER COLUMN users SET COMPRESSION lz4;
  ALTER TABLE weir.week_sets ALTER COLUMN users SET COMPRESSION lz4;
  ALTER TABLE weir.day_viewers ALTER COLUMN users SET COMPRESSION lz4;
  -- What is only copied would keep its compression.
  UPDATE weir.day_sets SET users = users | users;
  UPDATE weir.week_sets SET users = users | users;
  UPDATE weir.day_viewers SET users = users | users;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;
