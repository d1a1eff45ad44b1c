-- Tokens of programs: each bound to a member of staff, its hash here. What it opens is what the member may now.

CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    staff uuid NOT NULL REFERENCES staff,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE tokens IS 'Only the SHA-256 of a token is kept. A token that was revoked stays, so that one sees it was there.';
CREATE INDEX tokens_staff ON tokens (staff);

-- --- one way in, whatever was brought

CREATE FUNCTION enter_nobody() RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT set_config('journeys.staff', '', true), set_config('journeys.reach', '', true),
           set_config('journeys.sites', '', true);
$$;

CREATE FUNCTION enter_as(who uuid) RETURNS staff
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    member staff;
    reach text[];
BEGIN
    SELECT * INTO member FROM public.staff s WHERE s.id = who AND s.active;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- The same as READS of journeys/domain/rights.py (a test compares them).
    SELECT coalesce(array_agg(CASE role
        WHEN 'referent' THEN 'own' WHEN 'supervisor' THEN 'site' WHEN 'finance' THEN 'money'
        WHEN 'duty' THEN 'all' WHEN 'auditor' THEN 'all' ELSE 'none' END), '{}')
    INTO reach FROM unnest(member.roles) AS role;
    IF 'site' = ANY (reach) AND member.sites = '{}' THEN
        reach := array_append(reach, 'all');
    END IF;
    PERFORM set_config('journeys.staff', member.id::text, true),
            set_config('journeys.reach', array_to_string(reach, ','), true),
            set_config('journeys.sites', array_to_json(member.sites)::text, true);
    RETURN member;
END
$$;
COMMENT ON FUNCTION enter_as IS 'Only session_enter and token_enter may call it: whoever could, could be anybody.';

CREATE OR REPLACE FUNCTION session_enter(token bytea)
RETURNS TABLE (staff uuid, handle text, name text, language text, roles text[], sites text[], how text,
               opened_at timestamptz, proved_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known sessions;
    member staff;
BEGIN
    PERFORM enter_nobody();
    SELECT * INTO known FROM sessions s WHERE s.hash = token;
    IF NOT FOUND OR clock_timestamp() >= known.ends_at OR clock_timestamp() >= known.seen_at + known.idle THEN
        DELETE FROM sessions s WHERE s.hash = token;
        RETURN;
    END IF;
    member := enter_as(known.staff);
    IF member.id IS NULL THEN
        RETURN;
    END IF;
    IF clock_timestamp() > known.seen_at + interval '1 minute' THEN
        UPDATE sessions s SET seen_at = clock_timestamp() WHERE s.hash = token;
    END IF;
    RETURN QUERY SELECT member.id, member.handle, member.name, member.language, member.roles, member.sites,
                        known.how, known.opened_at, known.proved_at;
END
$$;

CREATE FUNCTION token_enter(token bytea)
RETURNS TABLE (staff uuid, handle text, name text, language text, roles text[], sites text[], how text,
               opened_at timestamptz, proved_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known tokens;
    member staff;
BEGIN
    PERFORM enter_nobody();
    SELECT * INTO known FROM tokens t WHERE t.hash = token;
    IF NOT FOUND OR known.revoked_at IS NOT NULL OR clock_timestamp() >= known.expires_at THEN
        RETURN;
    END IF;
    member := enter_as(known.staff);
    IF member.id IS NULL THEN
        RETURN;
    END IF;
    IF known.used_at IS NULL OR clock_timestamp() > known.used_at + interval '1 minute' THEN
        UPDATE tokens t SET used_at = clock_timestamp() WHERE t.hash = token;
    END IF;
    -- A token proves that somebody made it, not that they sit there: money is never approved on its word alone.
    RETURN QUERY SELECT member.id, member.handle, member.name, member.language, member.roles, member.sites,
                        'token', known.created_at, 'epoch'::timestamptz;
END
$$;

REVOKE ALL ON FUNCTION enter_nobody, enter_as, token_enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION token_enter TO journeys_web, journeys_writer;
GRANT SELECT, INSERT, UPDATE ON tokens TO journeys_writer;
GRANT EXECUTE ON FUNCTION my_funds TO journeys_writer;
