-- What is asked of a provider of payments, under which key, and what it says later of its own accord.

CREATE TABLE provider_keys (
    payment uuid PRIMARY KEY,
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    amount bigint NOT NULL CHECK (amount > 0),
    left_at timestamptz
);
COMMENT ON TABLE provider_keys IS 'A payment''s id is its key at the provider: used with one content for ever, written down before anything is sent.';
COMMENT ON COLUMN provider_keys.content IS 'SHA-256 of payment, amount, payee and reference.';
COMMENT ON COLUMN provider_keys.left_at IS 'When the key may first have reached the provider; null while it surely has not.';

CREATE FUNCTION keep_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.payment <> OLD.payment OR NEW.content <> OLD.content OR NEW.amount <> OLD.amount THEN
        RAISE EXCEPTION 'provider_keys: a key keeps its content' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_key BEFORE UPDATE ON provider_keys FOR EACH ROW EXECUTE FUNCTION keep_key();
ALTER TABLE provider_keys ENABLE ALWAYS TRIGGER keep_key;

CREATE TABLE provider_notices (
    event text PRIMARY KEY CHECK (event <> '' AND length(event) <= 200),
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    reference text NOT NULL,
    amount bigint NOT NULL,
    said text NOT NULL CHECK (said IN ('accepted', 'close', 'no-match', 'unchecked', 'settled', 'rejected', 'returned')),
    reason text,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY
);
COMMENT ON TABLE provider_notices IS 'What a provider said of its own accord, once an event; nothing of a person.';
COMMENT ON COLUMN provider_notices.content IS 'SHA-256 of the bytes that were signed.';
COMMENT ON COLUMN provider_notices.at IS 'When it happened, as the provider says.';

CREATE TABLE provider_outcomes (
    event text PRIMARY KEY REFERENCES provider_notices,
    outcome text NOT NULL CHECK (outcome IN ('taken', 'known', 'refused', 'unknown-reference', 'wrong-amount', 'contradicted')),
    code text,
    at timestamptz NOT NULL
);
COMMENT ON TABLE provider_outcomes IS 'What came of a notice; one without a row is still to be told to its journey, or waits for another.';
COMMENT ON COLUMN provider_outcomes.outcome IS 'taken by the journey; known already; else a person must look.';
CREATE INDEX provider_exceptions ON provider_outcomes (at) WHERE outcome NOT IN ('taken', 'known');

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['provider_notices', 'provider_outcomes'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', each);
    END LOOP;
END
$$;

GRANT SELECT ON provider_keys, provider_notices, provider_outcomes TO journeys_reader, journeys_writer;
GRANT INSERT ON provider_keys, provider_notices, provider_outcomes TO journeys_writer;
GRANT UPDATE (left_at) ON provider_keys TO journeys_writer;
