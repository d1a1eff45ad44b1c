-- Who is told goes by the day of the programme, and by that of the sites: whoever stands in may act whenever it is one of
-- the days of the absence anywhere in France, from Wallis (UTC+12) to Tahiti (UTC-10). By UTC, a deputy who was told at
-- night in Paris could open nothing for an hour or two.

CREATE FUNCTION stood_in_for(who uuid, at timestamptz) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT DISTINCT a.staff FROM public.absences a
                 WHERE a.deputy = who AND a.first_day <= (at AT TIME ZONE interval '12 hours')::date
                   AND a.last_day >= (at AT TIME ZONE interval '-10 hours')::date)
$$;
REVOKE ALL ON FUNCTION stood_in_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stood_in_for TO journeys_writer, journeys_reader;

CREATE OR REPLACE FUNCTION led_by_me() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT stood_in_for(me(), now()) || me()
$$;
