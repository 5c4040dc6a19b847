-- Which events somebody means: patterns, which come as JSON, are checked name by name, and are compared with rows as
-- values. Nothing of them becomes a part of a statement.
--
--   {"event": "venda_criada", "properties": {"metodo_pagamento": "pix"}, "country": "BR"}
--
--   event        the name
--   properties   of its properties, to eight: each has just that value. A value is a text, a number, true or false, and one
--                of another type is another value: "5" is not 5, but 5.0 is
--   version, platform, country
--                as the event has them
--
-- A filter is a pattern without an event. What is not like that is an error (22023) that names the place, such as
-- `steps[2].properties.plan`, and has the parameter as its COLUMN.
SET LOCAL ROLE weir_owner;
SET LOCAL check_function_bodies = off;

CREATE OR REPLACE FUNCTION weir.refuse(parameter text, sentence text) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RAISE invalid_parameter_value USING MESSAGE = sentence, COLUMN = parameter;
END
$$;

-- A place within a place. A name that could not be one of anybody's is not told back.
CREATE OR REPLACE FUNCTION weir.place_in(place text, name text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
  SELECT place || CASE WHEN name ~ '^[A-Za-z0-9_$.-]{1,40}$' THEN '.' || name ELSE ', in one of its names,' END
$$;

-- The JSON of a parameter: to 4,000 bytes.
CREATE OR REPLACE FUNCTION weir.json_of(parameter text, said text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF octet_length(said) > 4000 THEN
    PERFORM weir.refuse(parameter, parameter || ' is longer than 4000 bytes: ask for less');
  END IF;
  RETURN said::jsonb;
EXCEPTION
  WHEN invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range OR statement_too_complex THEN
    PERFORM weir.refuse(parameter, parameter || ' is no JSON that can be read');
    RETURN NULL;
END
$$;

-- The same of one that has to be given; `such` is what one may look like.
CREATE OR REPLACE FUNCTION weir.needed_json(parameter text, said text, such text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF said IS NULL THEN
    PERFORM weir.refuse(parameter, format('%s is needed: an object such as %s', parameter, such));
  END IF;
  RETURN weir.json_of(parameter, said);
END
$$;

-- An object with no other names than these.
CREATE OR REPLACE FUNCTION weir.check_names(parameter text, place text, said jsonb, known text[]) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  name text;
BEGIN
  IF jsonb_typeof(said) IS DISTINCT FROM 'object' THEN
    PERFORM weir.refuse(parameter, place || ' has to be an object with ' || array_to_string(known, ', '));
  END IF;
  FOR name IN SELECT jsonb_object_keys(said) LOOP
    IF name <> ALL (known) THEN
      PERFORM weir.refuse(parameter, weir.place_in(place, name) || ' is not known here: there are ' || array_to_string(known, ', '));
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION weir.check_text(parameter text, place text, said jsonb) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF jsonb_typeof(said) IS DISTINCT FROM 'string' OR char_length(said #>> '{}') NOT BETWEEN 1 AND 256 THEN
    PERFORM weir.refuse(parameter, place || ' has to be a text of 1 to 256 characters');
  END IF;
END
$$;

-- The name of an event that a parameter says, if it says one: as long as a pattern's may be, and so of nothing that is made of packs.
CREATE OR REPLACE FUNCTION weir.named_event(parameter text, said text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF said IS NOT NULL THEN
    PERFORM weir.check_text(parameter, parameter, to_jsonb(said));
  END IF;
  RETURN said;
END
$$;

-- A whole number within bounds; `otherwise` where nothing was said.
CREATE OR REPLACE FUNCTION weir.whole_number(parameter text, place text, said jsonb, lowest bigint, highest bigint, otherwise bigint)
RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  number numeric;
BEGIN
  IF said IS NULL THEN
    RETURN otherwise;
  END IF;
  number := CASE jsonb_typeof(said) WHEN 'number' THEN said::numeric END;
  IF number NOT BETWEEN lowest AND highest OR number <> trunc(number) OR number IS NULL THEN
    PERFORM weir.refuse(parameter, format('%s has to be a whole number from %s to %s', place, lowest, highest));
  END IF;
  RETURN number;
END
$$;

CREATE OR REPLACE FUNCTION weir.check_properties(parameter text, place text, said jsonb) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  pair record;
BEGIN
  IF jsonb_typeof(said) IS DISTINCT FROM 'object' OR (SELECT count(*) FROM jsonb_object_keys(said)) NOT BETWEEN 1 AND 8 THEN
    PERFORM weir.refuse(parameter, place || ' has to be an object with 1 to 8 properties and their values');
  END IF;
  FOR pair IN SELECT key, value FROM jsonb_each(said) LOOP
    IF jsonb_typeof(pair.value) NOT IN ('string', 'number', 'boolean') THEN
      PERFORM weir.refuse(parameter, weir.place_in(place, pair.key) || ' has to be a text, a number, true or false');
    END IF;
  END LOOP;
END
$$;

-- A pattern, as it was said. `others` are names that it may have besides.
CREATE OR REPLACE FUNCTION weir.checked_pattern(parameter text, place text, said jsonb, has_event boolean, others text[] DEFAULT '{}')
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  column_name text;
BEGIN
  PERFORM weir.check_names(parameter, place, said,
    CASE WHEN has_event THEN '{event}'::text[] ELSE '{}' END || '{properties,version,platform,country}'::text[] || others);
  IF has_event THEN
    PERFORM weir.check_text(parameter, place || '.event', said -> 'event');
  END IF;
  FOREACH column_name IN ARRAY '{version,platform,country}'::text[] LOOP
    IF said ? column_name THEN
      PERFORM weir.check_text(parameter, place || '.' || column_name, said -> column_name);
    END IF;
  END LOOP;
  IF said ? 'properties' THEN
    PERFORM weir.check_properties(parameter, place || '.properties', said -> 'properties');
  END IF;
  RETURN said;
END
$$;

-- A filter; none is '{}', which all events fit.
CREATE OR REPLACE FUNCTION weir.filter_of(parameter text, said text) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN said IS NULL THEN '{}' ELSE weir.checked_pattern(parameter, parameter, weir.json_of(parameter, said), false) END
$$;

-- Whose tallies say what a filter asks for (migrations/0038, 0040, 0048): dimension and value; NULL where there are none. Of a property
-- only where weir.tells_properties().
CREATE OR REPLACE FUNCTION weir.tallied_by(filter jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN filter = '{}' THEN '{"",""}'::text[]
    WHEN filter - 'properties' = '{}' THEN (
      SELECT ARRAY['properties.' || min(p.key), min(weir.said_value(p.value))] FROM jsonb_each(filter -> 'properties') AS p
      HAVING count(*) = 1 AND count(weir.said_value(p.value)) = 1)
    ELSE (SELECT ARRAY[d.name, filter ->> d.name] FROM unnest('{version,platform,country}'::text[]) AS d (name) WHERE filter - d.name = '{}') END
$$;

-- Whether what is made of these days' packs says which views and measurements fit a filter's properties: each is tallied, with all its values or with this
-- one (migrations/0048), or was not there.
CREATE OR REPLACE FUNCTION weir.tells_properties(tenant text, first_day date, last_day date, filter jsonb) RETURNS boolean
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT NOT filter ? 'properties' OR NOT EXISTS (
    SELECT FROM weir.said_properties(tenant, first_day, last_day) AS s, jsonb_each(filter -> 'properties') AS f (name, value)
    GROUP BY s.day, f.name, f.value
    HAVING NOT coalesce(bool_or(s.tallied OR coalesce(s.common ? weir.said_value(f.value), false)) FILTER (WHERE s.name = f.name), bool_and(s.name IS NOT NULL)))
$$;

-- Whether all screens, or durations, of these days' packs come from this one property; where none is named, it does not matter.
CREATE OR REPLACE FUNCTION weir.are_all_from(tenant text, first_day date, last_day date, what text, property text) RETURNS boolean
LANGUAGE sql STABLE
SET jit = off
AS $$
  SELECT property IS NULL OR NOT EXISTS (
    SELECT FROM weir.said_properties(tenant, first_day, last_day) AS s
    GROUP BY s.day
    HAVING bool_or(s.name = property AND CASE what WHEN 'screens' THEN s.screens ELSE s.durations END) IS NOT TRUE)
$$;

-- One pattern with its event, which has to be given.
CREATE OR REPLACE FUNCTION weir.needed_pattern(parameter text, said text) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
  SELECT weir.checked_pattern(parameter, parameter, weir.needed_json(parameter, said, '{"event": "sale"}'), true)
$$;

-- A list of patterns.
CREATE OR REPLACE FUNCTION weir.patterns_of(parameter text, said text, lowest integer, highest integer) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  list constant jsonb := weir.json_of(parameter, said);
BEGIN
  IF jsonb_typeof(list) IS DISTINCT FROM 'array' OR jsonb_array_length(list) NOT BETWEEN lowest AND highest THEN
    PERFORM weir.refuse(parameter, format('%s has to be a list of %s to %s events, such as [{"event": "login"}, {"event": "sale"}]',
      parameter, lowest, highest));
  END IF;
  PERFORM weir.checked_pattern(parameter, format('%s[%s]', parameter, p.place), p.pattern, true)
  FROM jsonb_array_elements(list) WITH ORDINALITY AS p (pattern, place);
  RETURN list;
END
$$;

-- A number of a parameter within its bounds.
CREATE OR REPLACE FUNCTION weir.bounded(parameter text, said integer, lowest integer, highest integer) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF said NOT BETWEEN lowest AND highest OR said IS NULL THEN
    PERFORM weir.refuse(parameter, format('%s has to be a whole number from %s to %s', parameter, lowest, highest));
  END IF;
  RETURN said;
END
$$;

-- Where the rows of a window are to be looked for, and where no row's own date need be asked for.
CREATE OR REPLACE FUNCTION weir.window_of(zone text, first_day date, last_day date)
RETURNS TABLE (since timestamptz, until timestamptz, surely_since timestamptz, surely_until timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT lower(f.span), upper(l.span), lower(f.span) + interval '6 hours', upper(l.span) - interval '6 hours'
  FROM (SELECT weir.span_of_day(zone, first_day) AS span) AS f, (SELECT weir.span_of_day(zone, last_day) AS span) AS l
$$;

-- The value of an event by which figures are split: of a column by its name, else of a property; NULL where it has none.
CREATE OR REPLACE FUNCTION weir.value_by(split text, version text, platform text, country text, properties jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN split IN ('version', 'platform', 'country')
    THEN left(nullif(CASE split WHEN 'version' THEN version WHEN 'platform' THEN platform ELSE country END, ''), 256)
    ELSE weir.text_at(properties, split) END
$$;

-- The events of a window that fit patterns and a filter, with what `needs` names (happened.sql); or those of some names.
-- Without settings of their own, so that they become part of what asks.
CREATE OR REPLACE FUNCTION weir.fitting_events(tenant text, zone text, first_day date, last_day date, patterns jsonb, filter jsonb, needs text[])
RETURNS TABLE (place integer, event text, number bigint, session bigint, at timestamptz, version text, platform text, country text,
  screen text, duration numeric, properties jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT h.place, h.event, h.number, h.session, h.at, h.version, h.platform, h.country, h.screen, h.duration, h.properties
  FROM weir.happened(tenant, weir.narrowed(patterns, filter), lower(weir.span_of_day(zone, first_day)), upper(weir.span_of_day(zone, last_day)),
    needs) AS h
  WHERE h.sure OR (h.at AT TIME ZONE zone)::date BETWEEN first_day AND last_day
$$;

CREATE OR REPLACE FUNCTION weir.events_in(tenant text, zone text, first_day date, last_day date, names text[], filter jsonb, needs text[])
RETURNS TABLE (event text, number bigint, session bigint, at timestamptz, version text, platform text, country text, screen text,
  duration numeric, properties jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT f.event, f.number, f.session, f.at, f.version, f.platform, f.country, f.screen, f.duration, f.properties
  FROM weir.fitting_events(tenant, zone, first_day, last_day, weir.patterns_named(names), filter, needs) AS f
$$;

GRANT EXECUTE ON FUNCTION weir.refuse(text, text), weir.place_in(text, text), weir.json_of(text, text), weir.needed_json(text, text, text),
  weir.check_names(text, text, jsonb, text[]), weir.check_text(text, text, jsonb), weir.named_event(text, text),
  weir.whole_number(text, text, jsonb, bigint, bigint, bigint), weir.check_properties(text, text, jsonb),
  weir.checked_pattern(text, text, jsonb, boolean, text[]), weir.filter_of(text, text), weir.needed_pattern(text, text),
  weir.patterns_of(text, text, integer, integer), weir.bounded(text, integer, integer, integer),
  weir.tallied_by(jsonb), weir.tells_properties(text, date, date, jsonb), weir.are_all_from(text, date, date, text, text),
  weir.window_of(text, date, date), weir.value_by(text, text, text, text, jsonb),
  weir.fitting_events(text, text, date, date, jsonb, jsonb, text[]), weir.events_in(text, text, date, date, text[], jsonb, text[]) TO weir_reader;
