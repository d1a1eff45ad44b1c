-- How staff, mentors and partners are called and reached becomes one sealed value in each row, and so does why payments
-- were stopped. What was there before stays readable, as plain JSON, until `journeys migrate` has sealed it; nothing plain
-- is added any more.

ALTER TABLE staff ADD COLUMN sealed bytea;
UPDATE staff SET sealed = convert_to(jsonb_strip_nulls(jsonb_build_object(
    'name', name, 'email', email, 'phone', phone))::text, 'UTF8');
ALTER TABLE staff ALTER COLUMN sealed SET NOT NULL, DROP COLUMN name, DROP COLUMN email, DROP COLUMN phone;

ALTER TABLE mentors ADD COLUMN sealed bytea;
UPDATE mentors SET sealed = convert_to(jsonb_strip_nulls(jsonb_build_object(
    'name', name, 'email', email, 'phone', phone, 'place', place, 'languages', languages, 'interests', interests
))::text, 'UTF8');
ALTER TABLE mentors ALTER COLUMN sealed SET NOT NULL, DROP COLUMN name, DROP COLUMN email, DROP COLUMN phone,
    DROP COLUMN place, DROP COLUMN languages, DROP COLUMN interests;

ALTER TABLE partners ADD COLUMN sealed bytea;
UPDATE partners SET sealed = convert_to(jsonb_strip_nulls(jsonb_build_object(
    'name', name, 'email', email, 'phone', phone, 'place', place))::text, 'UTF8');
ALTER TABLE partners ALTER COLUMN sealed SET NOT NULL, DROP COLUMN name, DROP COLUMN email, DROP COLUMN phone,
    DROP COLUMN place;

-- Why payments went on was never read from here: the journal has it.
ALTER TABLE stops ADD COLUMN sealed bytea;
UPDATE stops SET sealed = convert_to(jsonb_build_object('why', why)::text, 'UTF8');
ALTER TABLE stops ALTER COLUMN sealed SET NOT NULL, DROP COLUMN why, DROP COLUMN ended_why;

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['staff', 'mentors', 'partners', 'stops'] LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT sealed_only CHECK (get_byte(sealed, 0) = 1) NOT VALID', each);
    END LOOP;
END
$$;
COMMENT ON COLUMN staff.sealed IS 'How the member is called and reached, bound to the row; the id of the key in front.';
COMMENT ON COLUMN mentors.sealed IS 'All that is known of the mentor, bound to the row; the id of the key in front.';
COMMENT ON COLUMN partners.sealed IS 'How the partner is called and reached, and where it is, bound to the row; the id of the key in front.';
COMMENT ON COLUMN stops.sealed IS 'Why, bound to the instant; the id of the key in front.';

-- The doors as they are by now, but for the name: whatever else they came to do stays.
DO $$
DECLARE
    each text;
    before text;
    after text;
BEGIN
    FOREACH each IN ARRAY ARRAY['session_enter', 'token_enter'] LOOP
        before := pg_get_functiondef(each::regproc);
        after := replace(replace(before, 'handle text, name text', 'handle text, sealed bytea'), 'member.name', 'member.sealed');
        IF after = before OR after LIKE '%member.name%' OR after LIKE '%name text%' THEN
            RAISE EXCEPTION '% is not the one that this migration knows', each;
        END IF;
        EXECUTE format('DROP FUNCTION %I(bytea)', each);
        EXECUTE after;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION session_enter, token_enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_enter TO journeys_web;
GRANT EXECUTE ON FUNCTION token_enter TO journeys_web, journeys_writer;
