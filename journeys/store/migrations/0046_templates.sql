-- What messages say may be edited: each version stays in texts under its SHA-256, this names the one in force.

ALTER TABLE texts DROP CONSTRAINT texts_kind_check,
    ADD CONSTRAINT texts_kind_check CHECK (kind IN ('programme', 'calendar', 'template'));

CREATE TABLE edited_templates (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
    sha256 bytea NOT NULL REFERENCES texts,
    edited_at timestamptz NOT NULL
);
COMMENT ON TABLE edited_templates IS 'The words of each template that was edited; one that is not here says what is shipped.';
GRANT SELECT ON edited_templates TO journeys_reader, journeys_web, journeys_writer;
GRANT INSERT, UPDATE ON edited_templates TO journeys_writer;

-- Over all journeys of a person: what channels said will never reach them again.
ALTER TABLE people ADD COLUMN dead text[] NOT NULL DEFAULT '{}' CHECK (dead <@ ARRAY['mail', 'sms']);
COMMENT ON COLUMN people.dead IS 'Channels by which nobody is reached any more, until the address is another one.';

-- Letters on paper: their words wait, sealed, until somebody has printed and posted them.
CREATE TABLE paper_letters (
    message uuid PRIMARY KEY,
    journey uuid NOT NULL,
    sealed bytea NOT NULL,
    at timestamptz NOT NULL,
    posted_at timestamptz,
    posted_by uuid,
    CHECK ((posted_at IS NULL) = (posted_by IS NULL))
);
COMMENT ON COLUMN paper_letters.sealed IS 'Subject, text and recipient, under the key of the person; nothing else opens them.';
CREATE INDEX paper_letters_journey ON paper_letters (journey);
GRANT SELECT ON paper_letters TO journeys_reader;
GRANT SELECT, INSERT ON paper_letters TO journeys_writer;
GRANT UPDATE (posted_at, posted_by) ON paper_letters TO journeys_writer;
GRANT SELECT ON paper_letters TO journeys_web;
ALTER TABLE paper_letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON paper_letters TO journeys_writer, journeys_reader USING (true) WITH CHECK (true);
CREATE POLICY visit ON paper_letters FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = paper_letters.journey)
);

-- What the world may know of a site: a neutral name and address, and in which zone it lies.
CREATE TABLE sites (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9-]{0,39}$'),
    name text NOT NULL,
    address text NOT NULL,
    zone text NOT NULL
);
GRANT SELECT ON sites TO journeys_reader, journeys_web, journeys_writer;
GRANT INSERT, UPDATE ON sites TO journeys_writer;
