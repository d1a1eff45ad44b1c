-- How fast a gateway is asked, by all workers together. Nothing of it outlives a crash of the server: the table is not logged.

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
