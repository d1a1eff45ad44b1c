-- Who is at the door: local accounts, identities of a provider, sessions; and the second lock on reading.
-- The application reads as journeys_web. What that role sees of a journey is decided here, by the session alone.

CREATE TABLE accounts (
    staff uuid PRIMARY KEY REFERENCES staff,
    password text,
    totp text,
    totp_step bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz
);
COMMENT ON COLUMN accounts.password IS 'Argon2id; null where only a provider opens.';
COMMENT ON COLUMN accounts.totp_step IS 'The last time step whose code was taken: a code opens once.';

CREATE TABLE identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    staff uuid NOT NULL REFERENCES staff,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE sessions (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    staff uuid NOT NULL REFERENCES staff,
    how text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    proved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    idle interval NOT NULL,
    ends_at timestamptz NOT NULL
);
COMMENT ON TABLE sessions IS 'Only the SHA-256 of a token is kept. A session ends by being deleted.';
COMMENT ON COLUMN sessions.proved_at IS 'When the person last proved who they are: looked at before money is approved.';
CREATE INDEX sessions_staff ON sessions (staff);

ALTER TABLE journeys
    ADD COLUMN money boolean NOT NULL DEFAULT false,
    ADD COLUMN waits_on text[] NOT NULL DEFAULT '{}',
    ADD COLUMN alerts integer NOT NULL DEFAULT 0,
    ADD COLUMN meetings integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN journeys.waits_on IS 'Roles other than the referent''s whose turn it is.';
CREATE INDEX journeys_waits_on ON journeys USING gin (waits_on) WHERE waits_on <> '{}';
CREATE INDEX journeys_alerts ON journeys (id) WHERE alerts > 0;
CREATE INDEX journeys_meetings ON journeys (id) WHERE meetings > 0;

CREATE OR REPLACE FUNCTION view_put(p_stream text, p_view jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    roles text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(p_view -> 'waits_on', '[]')));
BEGIN
    UPDATE journeys j SET
        person = (p_view ->> 'person')::uuid, programme = p_view ->> 'programme', status = p_view ->> 'status',
        phase = p_view ->> 'phase', referent = (p_view ->> 'referent')::uuid, site = p_view ->> 'site',
        seq = (p_view ->> 'seq')::integer, next_due = (p_view ->> 'next_due')::timestamptz,
        late = coalesce((p_view ->> 'late')::integer, 0), summary = p_view,
        money = coalesce((p_view ->> 'money')::boolean, false), waits_on = roles,
        alerts = coalesce((p_view ->> 'alerts')::integer, 0), meetings = coalesce((p_view ->> 'meetings')::integer, 0)
    WHERE j.id = substr(p_stream, 9)::uuid;
    -- Who puts a view holds the head of its stream, so nobody else inserts this row meanwhile.
    IF NOT FOUND THEN
        INSERT INTO journeys (id, person, programme, status, phase, referent, site, seq, next_due, late, summary, money,
                              waits_on, alerts, meetings)
        VALUES (
            substr(p_stream, 9)::uuid, (p_view ->> 'person')::uuid, p_view ->> 'programme', p_view ->> 'status',
            p_view ->> 'phase', (p_view ->> 'referent')::uuid, p_view ->> 'site', (p_view ->> 'seq')::integer,
            (p_view ->> 'next_due')::timestamptz, coalesce((p_view ->> 'late')::integer, 0), p_view,
            coalesce((p_view ->> 'money')::boolean, false), roles, coalesce((p_view ->> 'alerts')::integer, 0),
            coalesce((p_view ->> 'meetings')::integer, 0)
        );
    END IF;
END
$$;

CREATE INDEX events_decided ON events (wall DESC) WHERE kind IN ('GrantApprovalGiven', 'GrantRefused', 'GrantReturned');

-- --- the session is the identity

CREATE FUNCTION session_enter(token bytea)
RETURNS TABLE (staff uuid, handle text, name text, language text, roles text[], sites text[], how text,
               opened_at timestamptz, proved_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known sessions;
    member staff;
    reach text[];
BEGIN
    PERFORM set_config('journeys.staff', '', true), set_config('journeys.reach', '', true),
            set_config('journeys.sites', '', true);
    SELECT * INTO known FROM sessions s WHERE s.hash = token;
    IF NOT FOUND OR clock_timestamp() >= known.ends_at OR clock_timestamp() >= known.seen_at + known.idle THEN
        DELETE FROM sessions s WHERE s.hash = token;
        RETURN;
    END IF;
    SELECT * INTO member FROM public.staff s WHERE s.id = known.staff AND s.active;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF clock_timestamp() > known.seen_at + interval '1 minute' THEN
        UPDATE sessions s SET seen_at = clock_timestamp() WHERE s.hash = token;
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
    RETURN QUERY SELECT member.id, member.handle, member.name, member.language, member.roles, member.sites,
                        known.how, known.opened_at, known.proved_at;
END
$$;

CREATE FUNCTION reach_has(wanted text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT wanted = ANY (string_to_array(current_setting('journeys.reach', true), ','))
$$;
CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('journeys.staff', true), '')::uuid
$$;
CREATE FUNCTION stands_in_for(colleague uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM absences a WHERE a.staff = colleague AND a.deputy = me()
                   AND current_date BETWEEN a.first_day AND a.last_day)
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'journeys_web') THEN
        BEGIN
            CREATE ROLE journeys_web NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'journeys_web', 'SET') THEN
        GRANT journeys_web TO CURRENT_USER;
    END IF;
END
$$;

GRANT SELECT ON journeys, people, streams, events, parts, texts, published, staff, absences, mentors, partners, funds
    TO journeys_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, identities, sessions TO journeys_writer;
REVOKE ALL ON FUNCTION session_enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_enter TO journeys_web;
GRANT EXECUTE ON FUNCTION reach_has, me, stands_in_for TO journeys_web, journeys_writer, journeys_reader;

-- --- the second lock

ALTER TABLE journeys ENABLE ROW LEVEL SECURITY;
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;

CREATE POLICY engine ON journeys TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON people TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON streams TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON events TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON parts TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);

CREATE POLICY visit ON journeys FOR SELECT TO journeys_web USING (
    (SELECT reach_has('all'))
    OR ((SELECT reach_has('site')) AND (site IS NULL
        OR site = ANY (ARRAY(SELECT json_array_elements_text(nullif(current_setting('journeys.sites', true), '')::json)))))
    OR ((SELECT reach_has('money')) AND money)
    OR ((SELECT reach_has('own')) AND (referent = (SELECT me()) OR stands_in_for(referent)
        OR (summary -> 'board') @> jsonb_build_array(jsonb_build_object('kind', 'transfer', 'about', (SELECT me()::text)))))
);
CREATE POLICY visit ON people FOR SELECT TO journeys_web USING (
    (SELECT reach_has('all')) OR EXISTS (SELECT FROM journeys j WHERE j.person = people.id)
);
CREATE FUNCTION journey_of(stream text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN starts_with(stream, 'journey-') THEN substr(stream, 9)::uuid END
$$;
GRANT EXECUTE ON FUNCTION journey_of TO journeys_web;
CREATE POLICY visit ON streams FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream))
);
CREATE POLICY visit ON events FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream))
);
CREATE POLICY visit ON parts FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream))
);
