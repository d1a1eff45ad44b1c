-- What lists show, one row a journey, written in the append's transaction and rebuilt from the journal at will;
-- the texts of programmes and calendars; and the claims of effects on the world.

CREATE TABLE journeys (
    id uuid PRIMARY KEY,
    person uuid NOT NULL,
    programme text NOT NULL,
    status text NOT NULL,
    phase text,
    referent uuid,
    site text,
    seq integer NOT NULL CHECK (seq > 0),
    next_due timestamptz,
    late integer NOT NULL DEFAULT 0 CHECK (late >= 0),
    summary jsonb NOT NULL
) WITH (fillfactor = 80);
COMMENT ON COLUMN journeys.summary IS 'The whole summary, its board included; the other columns repeat what lists filter by.';
CREATE INDEX journeys_person ON journeys (person);
CREATE INDEX journeys_referent ON journeys (referent);
-- None on what changes with nearly every append (seq, next_due, late): the row is then rewritten in its own page.

CREATE TABLE texts (
    sha256 bytea PRIMARY KEY CHECK (sha256 = sha256(convert_to(text, 'UTF8'))),
    kind text NOT NULL CHECK (kind IN ('programme', 'calendar')),
    name text NOT NULL,
    text text NOT NULL,
    stored timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON texts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON texts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE texts ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE texts ENABLE ALWAYS TRIGGER append_only_all;

CREATE TABLE published (
    name text PRIMARY KEY,
    sha256 bytea NOT NULL REFERENCES texts,
    published_at timestamptz NOT NULL
);
COMMENT ON TABLE published IS 'The text of each programme with which new journeys begin; earlier ones stay in texts.';

CREATE TABLE claims (
    journey text NOT NULL,
    effect integer NOT NULL CHECK (effect > 0),
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('claimed', 'done')),
    attempts timestamptz[] NOT NULL,
    outcome jsonb,
    PRIMARY KEY (journey, effect),
    CHECK ((state = 'done') = (outcome IS NOT NULL))
);
COMMENT ON COLUMN claims.effect IS 'Seq of the event that calls for the effect.';
