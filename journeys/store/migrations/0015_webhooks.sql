-- Systems elsewhere that are told what happened, and how far each has been told of each journey.
-- Told by presence: the head of a stream against the place reached in it. A late commit is a head that has moved.

CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    url text NOT NULL,
    kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'ended')),
    why text,
    made_at timestamptz NOT NULL,
    key text NOT NULL,
    generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    old_key text,
    old_generation integer,
    old_until timestamptz,
    sent_at timestamptz,
    troubled_since timestamptz,
    trouble text,
    CHECK ((old_key IS NULL) = (old_until IS NULL) AND (old_key IS NULL) = (old_generation IS NULL))
);
COMMENT ON COLUMN webhooks.key IS
    'Id of the signing key that the secret is derived from, with the webhook''s id and the generation. No secret is stored.';
COMMENT ON COLUMN webhooks.why IS 'Why it is paused or ended: asked, gone, failing.';

CREATE TABLE webhook_places (
    webhook uuid NOT NULL REFERENCES webhooks,
    stream text NOT NULL,
    seq integer NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (webhook, stream)
) WITH (fillfactor = 70);
COMMENT ON TABLE webhook_places IS 'The last event of a stream that was told, or that nobody wanted; without a row: none.';

GRANT SELECT ON webhooks, webhook_places TO journeys_reader;
GRANT SELECT, INSERT, UPDATE ON webhooks TO journeys_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_places TO journeys_writer;
