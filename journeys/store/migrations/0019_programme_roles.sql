-- A role that a programme names itself reaches as far as its line of the rights table, into that programme's journeys.

CREATE TABLE programme_roles (
    role text NOT NULL,
    programme text NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (role, programme)
);
COMMENT ON TABLE programme_roles IS 'What `rights:` says in the programmes of texts: of a role the line of the rights table that it has there.';
COMMENT ON COLUMN programme_roles.programme IS 'SHA-256 of the programme''s text in hexadecimal.';

CREATE FUNCTION roles_in(programme text) RETURNS TABLE (role text, line text) LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF programme IS JSON OBJECT AND jsonb_typeof(programme::jsonb -> 'roles') = 'object' THEN
        RETURN QUERY SELECT each.key, each.value ->> 'rights' FROM jsonb_each(programme::jsonb -> 'roles') AS each
                     WHERE each.value ->> 'rights' <> each.key;
    END IF;
END
$$;
CREATE FUNCTION keep_roles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO programme_roles SELECT found.role, encode(NEW.sha256, 'hex'), found.line FROM roles_in(NEW.text) AS found;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_roles AFTER INSERT ON texts FOR EACH ROW WHEN (NEW.kind = 'programme') EXECUTE FUNCTION keep_roles();
INSERT INTO programme_roles
SELECT found.role, encode(texts.sha256, 'hex'), found.line FROM texts CROSS JOIN LATERAL roles_in(texts.text) AS found
WHERE texts.kind = 'programme';
GRANT SELECT ON programme_roles TO journeys_reader, journeys_writer;

ALTER TABLE journeys
    ADD COLUMN rules text NOT NULL GENERATED ALWAYS AS (coalesce(summary ->> 'programme_hash', '')) STORED;
COMMENT ON COLUMN journeys.rules IS 'SHA-256 of the programme in force: what a role of its own reaches hangs on it.';
CREATE INDEX journeys_rules ON journeys (rules);

-- The same as READS of journeys/domain/rights.py (a test compares them).
CREATE FUNCTION reach_of(line text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE line
        WHEN 'referent' THEN 'own' WHEN 'supervisor' THEN 'site' WHEN 'finance' THEN 'money'
        WHEN 'duty' THEN 'all' WHEN 'auditor' THEN 'all' ELSE 'none' END
$$;
CREATE FUNCTION reaches(lines text[], sites text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(CASE WHEN reach_of(line) = 'site' AND sites = '{}' THEN 'all' ELSE reach_of(line) END), '{}')
    FROM unnest(lines) AS line
$$;

CREATE OR REPLACE FUNCTION enter_nobody() RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT set_config('journeys.staff', '', true), set_config('journeys.reach', '', true),
           set_config('journeys.sites', '', true), set_config('journeys.apart', '', true);
$$;

CREATE OR REPLACE FUNCTION enter_as(who uuid) RETURNS staff
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    member staff;
    apart jsonb;
BEGIN
    SELECT * INTO member FROM public.staff s WHERE s.id = who AND s.active;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Programmes in which a role of this member has another line than its name: there that line counts, with those of
    -- the other roles; elsewhere each role's own name.
    WITH named AS MATERIALIZED (
        SELECT programme, role, line FROM programme_roles WHERE role = ANY (member.roles)
    ), held AS (
        SELECT here.programme, array_agg(coalesce(named.line, held.role)) AS lines
        FROM (SELECT DISTINCT programme FROM named) AS here CROSS JOIN unnest(member.roles) AS held (role)
        LEFT JOIN named ON named.programme = here.programme AND named.role = held.role
        GROUP BY here.programme
    ), reached AS (
        SELECT DISTINCT programme, reach
        FROM held CROSS JOIN LATERAL unnest(reaches(held.lines, member.sites) || 'any'::text) AS reach
    )
    SELECT coalesce((SELECT jsonb_object_agg(reach, programmes)
                     FROM (SELECT reach, jsonb_agg(programme) AS programmes FROM reached GROUP BY reach) AS each), '{}')
        || jsonb_build_object('lines', coalesce((SELECT jsonb_agg(DISTINCT line) FROM named), '[]'))
    INTO apart;
    PERFORM set_config('journeys.staff', member.id::text, true),
            set_config('journeys.reach', array_to_string(reaches(member.roles, member.sites), ','), true),
            set_config('journeys.sites', array_to_json(member.sites)::text, true),
            set_config('journeys.apart', apart::text, true);
    RETURN member;
END
$$;

CREATE FUNCTION apart(what text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT jsonb_array_elements_text(nullif(current_setting('journeys.apart', true), '')::jsonb -> what))
$$;
COMMENT ON FUNCTION apart IS 'Of the visitor, `any`: the programmes in which a role of theirs has another line than its name; `own`, `site`, `money`, `all`: those of them that they reach so; `lines`: those other lines.';
REVOKE ALL ON FUNCTION keep_roles, enter_nobody, enter_as FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apart TO journeys_web, journeys_writer, journeys_reader;

DROP POLICY visit ON journeys;
CREATE POLICY visit ON journeys FOR SELECT TO journeys_web USING (
    CASE WHEN rules = ANY ((SELECT apart('any'))::text[]) THEN
        rules = ANY ((SELECT apart('all'))::text[])
        OR (rules = ANY ((SELECT apart('site'))::text[]) AND (site IS NULL OR site = ANY ((SELECT my_sites())::text[])))
        OR (rules = ANY ((SELECT apart('money'))::text[]) AND money
            AND ((SELECT my_funds()) = '{}' OR summary -> 'funds' ?| (SELECT my_funds())))
        OR (rules = ANY ((SELECT apart('own'))::text[])
            AND (referent = ANY ((SELECT led_by_me())::uuid[]) OR offered_to = (SELECT me())))
    ELSE
        (SELECT reach_has('all'))
        OR ((SELECT reach_has('site')) AND (site IS NULL OR site = ANY ((SELECT my_sites())::text[])))
        OR ((SELECT reach_has('money')) AND money
            AND ((SELECT my_funds()) = '{}' OR summary -> 'funds' ?| (SELECT my_funds())))
        OR ((SELECT reach_has('own')) AND (referent = ANY ((SELECT led_by_me())::uuid[]) OR offered_to = (SELECT me())))
    END
);
-- Whoever sees every journey sees every person, also one who has none yet; not where a programme says otherwise.
ALTER POLICY visit ON people USING (
    ((SELECT reach_has('all')) AND (SELECT apart('any') = '{}'))
    OR EXISTS (SELECT FROM journeys j WHERE j.person = people.id OFFSET 0)
);
