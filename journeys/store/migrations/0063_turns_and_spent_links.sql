-- How fast a gateway is asked, by all workers together (nothing of it outlives a crash of the server: the table is not logged); and links about messages that are spent: whether what they did still holds is looked up, and one that stopped them stops them again.

CREATE UNLOGGED TABLE gateway_turns (
    gateway text PRIMARY KEY CHECK (gateway <> '' AND length(gateway) <= 40),
    free_at timestamptz NOT NULL,
    back_at timestamptz NOT NULL
);
COMMENT ON TABLE gateway_turns IS 'When the next turn at a gateway is, and when the last of those comes back who were turned away.';

GRANT SELECT ON gateway_turns TO journeys_reader;
GRANT SELECT, INSERT, UPDATE ON gateway_turns TO journeys_writer;

CREATE FUNCTION gateway_turn(
    which text, apart interval, held interval, asked_at timestamptz, OUT its boolean, OUT seconds double precision
) LANGUAGE plpgsql AS $$
DECLARE
    known gateway_turns;
    at timestamptz;
BEGIN
    INSERT INTO gateway_turns VALUES (which, '-infinity', '-infinity') ON CONFLICT DO NOTHING;
    SELECT * INTO known FROM gateway_turns WHERE gateway = which FOR UPDATE;
    at := coalesce(asked_at, clock_timestamp());
    IF known.free_at > at + apart + interval '1 minute' THEN -- The clock ran ahead: no turn is given so far ahead.
        known.free_at := at;
        known.back_at := at;
        UPDATE gateway_turns SET free_at = at, back_at = at WHERE gateway = which;
    END IF;
    known.free_at := greatest(known.free_at, at);
    its := known.free_at - at <= held;
    IF its THEN
        seconds := extract(epoch FROM known.free_at - at);
        UPDATE gateway_turns SET free_at = known.free_at + apart WHERE gateway = which;
    ELSE
        known.back_at := greatest(known.back_at, known.free_at) + apart;
        seconds := extract(epoch FROM known.back_at - at);
        UPDATE gateway_turns SET back_at = known.back_at WHERE gateway = which;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION gateway_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway_turn TO journeys_writer;

CREATE OR REPLACE FUNCTION link_enter(token bytea, at timestamptz)
RETURNS TABLE (id uuid, journey uuid, role text, recipient uuid, purpose text, subject text, language text,
               expires_at timestamptz, issued_at timestamptz, issued_by uuid,
               taken_at timestamptz, answer jsonb, settled_at timestamptz, outcome text, revoked_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known links;
    taken link_uses;
    settled link_uses;
    revoked link_uses;
BEGIN
    PERFORM set_config('journeys.staff', '', true), set_config('journeys.reach', '', true),
            set_config('journeys.sites', '', true), set_config('journeys.link', '', true);
    SELECT * INTO known FROM links l WHERE l.hash = token;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO taken FROM link_uses u WHERE u.link = known.id AND u.step = 'taken';
    SELECT * INTO settled FROM link_uses u WHERE u.link = known.id AND u.step = 'settled';
    SELECT * INTO revoked FROM link_uses u WHERE u.link = known.id AND u.step = 'revoked';
    IF settled.link IS NULL AND (taken.link IS NOT NULL OR (revoked.link IS NULL AND at < known.expires_at))
       OR settled.outcome = 'done' AND known.purpose = 'messages' THEN
        PERFORM set_config('journeys.link', known.journey::text, true);
    END IF;
    RETURN QUERY SELECT known.id, known.journey, known.role, known.recipient, known.purpose, known.subject,
                        known.language, known.expires_at, known.issued_at, known.issued_by,
                        taken.at, taken.answer, settled.at, settled.outcome, revoked.at;
END
$$;
