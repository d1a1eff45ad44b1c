-- What is known of a person becomes one sealed value; search goes by tokens. What was there before stays readable, as plain
-- JSON, until `journeys migrate` has sealed it; nothing plain is added any more.

ALTER TABLE people ADD COLUMN sealed bytea, ADD COLUMN reference_token bytea UNIQUE;
UPDATE people SET sealed = convert_to(jsonb_strip_nulls(jsonb_build_object(
    'reference', reference, 'first_name', first_name, 'last_name', last_name, 'birth_date', birth_date, 'email', email,
    'phone', phone, 'language', language, 'zone', zone, 'place', place, 'languages', languages, 'interests', interests
))::text, 'UTF8');
ALTER TABLE people ALTER COLUMN sealed SET NOT NULL,
    DROP COLUMN reference, DROP COLUMN first_name, DROP COLUMN last_name, DROP COLUMN birth_date, DROP COLUMN search_name,
    DROP COLUMN email, DROP COLUMN phone, DROP COLUMN language, DROP COLUMN zone, DROP COLUMN place, DROP COLUMN languages,
    DROP COLUMN interests;
ALTER TABLE people ADD CONSTRAINT sealed_only CHECK (get_byte(sealed, 0) = 1) NOT VALID;
COMMENT ON COLUMN people.sealed IS 'Everything that is known of the person, bound to the row; the id of the key in front.';
COMMENT ON COLUMN people.reference_token IS 'Stands for the operator''s own number, which is unique.';

CREATE TABLE person_tokens (
    person uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    token bytea NOT NULL CHECK (octet_length(token) = 16),
    PRIMARY KEY (token, person)
);
CREATE INDEX person_tokens_of ON person_tokens (person);
COMMENT ON TABLE person_tokens IS 'Words of a name and their beginnings, ends of a phone number, name with birth date: each under a key, so that it tells nothing.';

GRANT SELECT ON person_tokens TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, DELETE ON person_tokens TO journeys_writer;
ALTER TABLE person_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON person_tokens TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY visit ON person_tokens FOR SELECT TO journeys_web USING (EXISTS (SELECT FROM people p WHERE p.id = person));

-- People who have all of these tokens; none for no token.
CREATE FUNCTION people_with(p_tokens bytea[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT t.person FROM person_tokens t WHERE t.token = ANY (p_tokens)
    GROUP BY t.person HAVING count(*) = cardinality(p_tokens)
$$;
GRANT EXECUTE ON FUNCTION people_with TO journeys_reader, journeys_writer, journeys_web;
