-- How far a role reaches into money: whoever is bound to funds looks into what was asked from these alone.

ALTER TABLE staff ADD COLUMN funds text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN staff.funds IS 'Codes of the funds whose money this member decides on; none: every fund.';

-- What the summaries of journeys say from now on, for those written before.
UPDATE journeys j SET summary = j.summary || jsonb_build_object('funds', coalesce((
    SELECT jsonb_agg(DISTINCT asked.fund ORDER BY asked.fund)
    FROM events e CROSS JOIN LATERAL (SELECT convert_from(e.header, 'UTF8')::jsonb -> 'data' ->> 'fund') AS asked (fund)
    WHERE e.stream = 'journey-' || j.id AND e.kind = 'GrantRequested'
), '[]'));

-- None: every fund. Asked once a query, as who they are was settled by session_enter.
CREATE FUNCTION my_funds() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT s.funds FROM staff s WHERE s.id = me()), '{}')
$$;
REVOKE ALL ON FUNCTION my_funds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_funds TO journeys_web;

DROP POLICY visit ON journeys;
CREATE POLICY visit ON journeys FOR SELECT TO journeys_web USING (
    (SELECT reach_has('all'))
    OR ((SELECT reach_has('site')) AND (site IS NULL OR site = ANY ((SELECT my_sites())::text[])))
    OR ((SELECT reach_has('money')) AND money AND ((SELECT my_funds()) = '{}' OR summary -> 'funds' ?| (SELECT my_funds())))
    OR ((SELECT reach_has('own')) AND (referent = ANY ((SELECT led_by_me())::uuid[]) OR offered_to = (SELECT me())))
);

-- No policy asks it any more: led_by_me says it once a query.
DROP FUNCTION stands_in_for;
