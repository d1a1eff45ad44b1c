-- Filled forms that wait while somebody proves who they are at the identity provider; and who is with a mentor now.

CREATE TABLE kept_forms (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    session bytea NOT NULL REFERENCES sessions (hash) ON UPDATE CASCADE ON DELETE CASCADE,
    form text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE kept_forms IS 'Given back once, to the session that left it, within ten minutes; only the SHA-256 of a key is kept.';
CREATE INDEX kept_forms_session ON kept_forms (session);

GRANT SELECT, INSERT, DELETE ON kept_forms TO journeys_writer;

CREATE INDEX events_mentoring ON events (stream) WHERE kind IN ('MentorMatched', 'MentorEnded');
