-- Transfers, files for the bank and words of its lines are sealed under a key of their year, kept in the database of keys.
-- What was sealed before under the key that signs stays readable until `journeys migrate` has sealed it anew; nothing is added so any more.

CREATE FUNCTION sealed_under_year(sealed bytea) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT length(sealed) > 2 AND encode(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'escape') ~ '^bank-[0-9]{4}$'
$$;
COMMENT ON FUNCTION sealed_under_year IS 'Whether the id of the key, which stands in front, is that of a year.';
CREATE FUNCTION sealed_under(sealed bytea, key text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT length(sealed) > 2 AND substring(sealed FROM 3 FOR get_byte(sealed, 1)) = convert_to(key, 'UTF8')
$$;
COMMENT ON FUNCTION sealed_under IS 'Whether this is the id of the key, which stands in front.';
GRANT EXECUTE ON FUNCTION sealed_under TO journeys_writer, journeys_reader;
GRANT EXECUTE ON FUNCTION sealed_under_year TO journeys_writer, journeys_reader, journeys_retention;

ALTER TABLE transfers ADD CONSTRAINT sealed_only CHECK (sealed_under_year(sealed)) NOT VALID;
ALTER TABLE batch_files ADD CONSTRAINT sealed_only CHECK (sealed_under_year(sealed)) NOT VALID;
ALTER TABLE bank_texts ADD CONSTRAINT sealed_only CHECK (sealed_under_year(sealed)) NOT VALID;
