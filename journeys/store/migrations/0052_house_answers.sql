-- What the verification of everything found of each journey, line by line: what was owed, and who did what of grants.
-- And replays of every history, asked for on a page.

ALTER TABLE verifications ADD COLUMN lines boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN verifications.lines IS 'Whether its lines were kept too, in found_owed, found_sums and found_duties; those of the last one are there.';

CREATE TABLE found_owed (
    run text NOT NULL,
    journey uuid NOT NULL,
    place integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('met', 'missed', 'cancelled', 'open', 'silent')),
    due timestamptz NOT NULL,
    at timestamptz,
    late boolean NOT NULL,
    learnt_late boolean NOT NULL,
    fr text NOT NULL,
    en text NOT NULL,
    turn bigint NOT NULL,
    PRIMARY KEY (run, journey, place)
);
CREATE INDEX found_owed_in_turn ON found_owed (run, outcome, turn, journey, place);
CREATE INDEX found_owed_by_due ON found_owed (run, due);
COMMENT ON TABLE found_owed IS 'Every obligation of every journey, as a verification recomputed it. Nobody is named in its words.';
COMMENT ON COLUMN found_owed.turn IS 'Among those of its outcome: the latest first, of those to come the next first.';

CREATE TABLE found_sums (
    run text NOT NULL,
    journey uuid NOT NULL,
    met integer NOT NULL,
    missed integer NOT NULL,
    cancelled integer NOT NULL,
    open integer NOT NULL,
    silent integer NOT NULL,
    PRIMARY KEY (run, journey)
);
COMMENT ON TABLE found_sums IS 'How many obligations of each outcome a journey has in found_owed.';

CREATE TABLE found_duties (
    run text NOT NULL,
    journey uuid NOT NULL,
    place integer NOT NULL,
    amount bigint NOT NULL,
    asked_at timestamptz NOT NULL,
    breaches text[] NOT NULL,
    acts jsonb NOT NULL,
    fr text NOT NULL,
    en text NOT NULL,
    PRIMARY KEY (run, journey, place)
);
COMMENT ON TABLE found_duties IS 'Every grant of every journey with who did what of it, as a verification recomputed it. People stand by their ids.';
COMMENT ON COLUMN found_duties.amount IS 'Cents, as last asked for.';

ALTER TABLE found_owed ENABLE ROW LEVEL SECURITY;
ALTER TABLE found_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE found_duties ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON found_owed TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON found_sums TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY engine ON found_duties TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY visit ON found_owed FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = found_owed.journey)
);
-- Asked of all at once, and then looked up: these are read for every journey that the visitor may see.
CREATE POLICY visit ON found_sums FOR SELECT TO journeys_web USING (journey IN (SELECT j.id FROM journeys j));
CREATE POLICY visit ON found_duties FOR SELECT TO journeys_web USING (journey IN (SELECT j.id FROM journeys j));

GRANT SELECT ON found_owed, found_sums, found_duties TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, DELETE ON found_owed, found_sums, found_duties TO journeys_writer;
GRANT SELECT (run, at, lines) ON verifications TO journeys_web;

CREATE TABLE replays (
    run text PRIMARY KEY,
    staff uuid NOT NULL,
    begun timestamptz NOT NULL,
    journeys integer NOT NULL DEFAULT 0 CHECK (journeys >= 0),
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    told timestamptz NOT NULL,
    found jsonb
);
COMMENT ON TABLE replays IS 'Replays of every history: who asked, how far it is, and what it found; once that is said, it stays.';
COMMENT ON COLUMN replays.told IS 'When it last said how far it is.';
CREATE INDEX replays_by_time ON replays (begun DESC);

CREATE FUNCTION refuse_other_replay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.found IS NULL AND (NEW.run, NEW.staff, NEW.begun) = (OLD.run, OLD.staff, OLD.begun) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what a replay found is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON replays FOR EACH ROW EXECUTE FUNCTION refuse_other_replay();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON replays FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE replays ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE replays ENABLE ALWAYS TRIGGER append_only_all;

GRANT SELECT ON replays TO journeys_reader, journeys_writer;
GRANT INSERT, UPDATE (journeys, done, told, found) ON replays TO journeys_writer;
