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
