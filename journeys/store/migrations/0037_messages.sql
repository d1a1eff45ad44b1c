-- Attempts to reach a person, each written down before it begins, what channels say later, and calendar feeds.

CREATE TABLE message_attempts (
    message uuid NOT NULL,
    number smallint NOT NULL CHECK (number > 0),
    stream text NOT NULL,
    channel text NOT NULL CHECK (channel <> '' AND length(channel) <= 40),
    at timestamptz NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (message, number)
);
COMMENT ON TABLE message_attempts IS 'A message to a person is about to leave by a channel; one without an end may have left, and never leaves again.';
COMMENT ON COLUMN message_attempts.at IS 'The workflow''s time; began_at is the real one.';
CREATE INDEX message_attempts_by_stream ON message_attempts (stream);
CREATE INDEX message_attempts_by_time ON message_attempts (began_at);

CREATE TABLE message_ends (
    message uuid NOT NULL,
    number smallint NOT NULL,
    fate text NOT NULL CHECK (fate IN ('sent', 'nothing-left', 'refused', 'unknown')),
    reason text NOT NULL,
    reference text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (message, number),
    FOREIGN KEY (message, number) REFERENCES message_attempts
);
COMMENT ON TABLE message_ends IS 'What came of an attempt, as its channel said at once.';
COMMENT ON COLUMN message_ends.reference IS 'What the channel calls the message, where it says so.';
CREATE INDEX message_ends_by_reference ON message_ends (reference) WHERE reference IS NOT NULL;

CREATE TABLE message_receipts (
    event text PRIMARY KEY CHECK (event <> '' AND length(event) <= 200),
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    message uuid,
    reference text,
    said text NOT NULL CHECK (said IN ('delivered', 'bounced')),
    reason text,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    CHECK (message IS NOT NULL OR reference IS NOT NULL)
);
COMMENT ON TABLE message_receipts IS 'What a channel said later of a message, once an event; nothing of a person.';
COMMENT ON COLUMN message_receipts.content IS 'SHA-256 of the bytes that were signed, or of the report.';
CREATE INDEX message_receipts_by_message ON message_receipts (message);

CREATE TABLE message_receipt_outcomes (
    event text PRIMARY KEY REFERENCES message_receipts,
    outcome text NOT NULL CHECK (outcome IN ('taken', 'known', 'refused', 'unknown-message')),
    code text,
    at timestamptz NOT NULL
);
COMMENT ON TABLE message_receipt_outcomes IS 'What came of a receipt; one without a row is still to be told to its journey.';

CREATE TABLE message_replies (
    event text PRIMARY KEY CHECK (event <> '' AND length(event) <= 200),
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    people uuid[] NOT NULL,
    wish text NOT NULL CHECK (wish IN ('stop', 'start', 'other')),
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY
);
COMMENT ON TABLE message_replies IS 'A phone answered: neither its number nor its words are kept.';
COMMENT ON COLUMN message_replies.people IS 'Those who have the number; none: nobody that we know.';
COMMENT ON COLUMN message_replies.wish IS 'STOP, START, or words that only the gateway has.';

CREATE TABLE message_reply_outcomes (
    event text PRIMARY KEY REFERENCES message_replies,
    outcome text NOT NULL CHECK (outcome IN ('taken', 'known', 'refused', 'nobody', 'unread')),
    at timestamptz NOT NULL
);
COMMENT ON TABLE message_reply_outcomes IS 'What came of an answer; one without a row is still to be noted.';

CREATE TABLE feeds (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    journey uuid NOT NULL,
    language text NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_by uuid NOT NULL REFERENCES staff
);
COMMENT ON TABLE feeds IS 'Addresses that show the appointments of a journey to a calendar; only the SHA-256 of each is kept.';
CREATE INDEX feeds_journey ON feeds (journey);

CREATE TABLE feed_ends (
    id uuid PRIMARY KEY REFERENCES feeds,
    ended_at timestamptz NOT NULL,
    ended_by uuid NOT NULL REFERENCES staff
);
COMMENT ON TABLE feed_ends IS 'Taken back: it shows nothing any more.';

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['message_attempts', 'message_ends', 'message_receipts', 'message_receipt_outcomes', 'message_replies', 'message_reply_outcomes', 'feeds', 'feed_ends'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', each);
        EXECUTE format('GRANT SELECT ON %I TO journeys_reader, journeys_writer', each);
        EXECUTE format('GRANT INSERT ON %I TO journeys_writer', each);
    END LOOP;
END
$$;
