-- Messages of which their channel said nothing for too long, each told once; and a channel that says nothing at all.

CREATE TABLE channel_silences (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    channel text NOT NULL CHECK (channel <> '' AND length(channel) <= 40),
    since timestamptz NOT NULL,
    messages integer NOT NULL CHECK (messages > 0),
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at timestamptz,
    ended_at timestamptz
);
COMMENT ON TABLE channel_silences IS 'A channel that says what arrives has said nothing of any message: told once, until it speaks again.';
COMMENT ON COLUMN channel_silences.since IS 'When the first message left of which nothing was said.';
CREATE UNIQUE INDEX channel_silences_open ON channel_silences (channel) WHERE ended_at IS NULL;
GRANT SELECT ON channel_silences TO journeys_reader, journeys_web, journeys_writer;
GRANT INSERT ON channel_silences TO journeys_writer;
GRANT UPDATE (told_at, ended_at) ON channel_silences TO journeys_writer;

CREATE TABLE message_silences (
    message uuid PRIMARY KEY,
    outcome text NOT NULL CHECK (outcome IN ('told', 'refused', 'with-channel')),
    at timestamptz NOT NULL
);
COMMENT ON TABLE message_silences IS 'What came of a message of which nothing was said for too long; one without a row is still to be told.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON message_silences FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON message_silences FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE message_silences ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE message_silences ENABLE ALWAYS TRIGGER append_only_all;
GRANT SELECT ON message_silences TO journeys_reader, journeys_writer;
GRANT INSERT ON message_silences TO journeys_writer;
