-- Mail to staff that does not arrive: whose, since when, and which letter told of what.

ALTER TABLE staff
    ADD COLUMN mail_failed text,
    ADD COLUMN mail_failed_at timestamptz,
    ADD COLUMN mail_returned boolean NOT NULL DEFAULT false,
    ADD CHECK ((mail_failed IS NULL) = (mail_failed_at IS NULL)),
    ADD CHECK (mail_failed IS NOT NULL OR NOT mail_returned);
COMMENT ON COLUMN staff.mail_failed IS 'Why the last letter did not arrive, as a code; null: as far as is known, all do.';
COMMENT ON COLUMN staff.mail_returned IS 'It was taken and came back: who sends does not notice, so nobody is told there alone until the address is given anew.';

CREATE TABLE staff_letters (
    letter uuid PRIMARY KEY,
    staff uuid NOT NULL REFERENCES staff,
    about jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE staff_letters IS 'Letters to staff of the last weeks, so that one that comes back is known: nothing of what they say.';
COMMENT ON COLUMN staff_letters.about IS 'What it told of: streams with the event that called for it, or with a message that nobody else got.';
CREATE INDEX staff_letters_by_time ON staff_letters (at);

GRANT SELECT ON staff_letters TO journeys_reader;
GRANT SELECT, INSERT, DELETE ON staff_letters TO journeys_writer;
