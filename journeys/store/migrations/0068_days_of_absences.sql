-- Who is told goes by the day of the programme, and by that of the sites: whoever stands in may act while it is one of the
-- days of the absence in Paris, or where the house has a site. By UTC, a deputy who was told at night in Paris could open
-- nothing for an hour or two, and overseas for longer.

-- None where the database does not know the zone: one such site is to keep nobody out.
CREATE FUNCTION day_there(zone text, at timestamptz) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (at AT TIME ZONE zone)::date;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;

CREATE FUNCTION stood_in_for(who uuid, at timestamptz) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT DISTINCT a.staff
                 FROM public.absences a
                 CROSS JOIN (SELECT 'Europe/Paris' AS zone UNION SELECT s.zone FROM public.sites s) AS there
                 WHERE a.deputy = who AND public.day_there(there.zone, at) BETWEEN a.first_day AND a.last_day)
$$;
REVOKE ALL ON FUNCTION day_there, stood_in_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION day_there, stood_in_for TO journeys_writer, journeys_reader;

CREATE OR REPLACE FUNCTION led_by_me() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT stood_in_for(me(), now()) || me()
$$;
