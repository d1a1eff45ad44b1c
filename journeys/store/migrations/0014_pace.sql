-- The second lock, asked once a query and not once a row; and what the screens of a full house look up.

CREATE FUNCTION offered_in(summary jsonb) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (jsonb_path_query_first(summary, '$.board[*] ? (@.kind == "transfer").about') #>> '{}')::uuid
$$;
ALTER TABLE journeys
    ADD COLUMN offered_to uuid GENERATED ALWAYS AS (offered_in(summary)) STORED,
    ADD COLUMN turns jsonb NOT NULL GENERATED ALWAYS AS (jsonb_path_query_array(
        summary, '$.board[*] ? (@.kind == "escalation" || @.role != "referent" && @.kind != "referral")')) STORED,
    ADD COLUMN asks boolean NOT NULL GENERATED ALWAYS AS (
        jsonb_path_exists(summary, '$.board[*] ? (@.kind == "grant")')) STORED;
COMMENT ON COLUMN journeys.offered_to IS 'Whom the referent has asked to take the journey over, while no answer is given.';
COMMENT ON COLUMN journeys.turns IS 'Of the board what is the turn of a role, and every escalation: a list of thousands reads this and not the whole.';
COMMENT ON COLUMN journeys.asks IS 'Somebody waits for a decision about money.';
CREATE INDEX journeys_offered ON journeys (offered_to) WHERE offered_to IS NOT NULL;
CREATE INDEX journeys_asks ON journeys (id) WHERE asks;
CREATE INDEX journeys_site ON journeys (site);

-- Whose journeys are this visitor's own: theirs, and those of absent colleagues for whom they stand in.
CREATE FUNCTION led_by_me() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT ARRAY(SELECT a.staff FROM absences a
                 WHERE a.deputy = me() AND current_date BETWEEN a.first_day AND a.last_day) || me()
$$;
CREATE FUNCTION my_sites() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT json_array_elements_text(nullif(current_setting('journeys.sites', true), '')::json))
$$;
REVOKE ALL ON FUNCTION led_by_me FROM PUBLIC;
GRANT EXECUTE ON FUNCTION led_by_me, my_sites, offered_in TO journeys_web, journeys_writer, journeys_reader;

DROP POLICY visit ON journeys;
CREATE POLICY visit ON journeys FOR SELECT TO journeys_web USING (
    (SELECT reach_has('all'))
    OR ((SELECT reach_has('site')) AND (site IS NULL OR site = ANY ((SELECT my_sites())::text[])))
    OR ((SELECT reach_has('money')) AND money)
    OR ((SELECT reach_has('own')) AND (referent = ANY ((SELECT led_by_me())::uuid[]) OR offered_to = (SELECT me())))
);

-- What hangs on a journey is looked up row by row: OFFSET 0 keeps the database from listing every visible journey first.
ALTER POLICY visit ON people USING (
    (SELECT reach_has('all')) OR EXISTS (SELECT FROM journeys j WHERE j.person = people.id OFFSET 0)
);
ALTER POLICY visit ON streams USING (EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream) OFFSET 0));
ALTER POLICY visit ON events USING (EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream) OFFSET 0));
ALTER POLICY visit ON parts USING (EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream) OFFSET 0));
