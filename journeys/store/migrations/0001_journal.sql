-- The journal: streams of facts, their deletable parts, and the signed commands that made them.
-- Append-only twice over: by triggers that even the owner meets, and by what each role is granted (0005).

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE streams (
    stream text PRIMARY KEY CHECK (stream ~ '^([a-z]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|system)$'),
    seq integer NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 60);
COMMENT ON TABLE streams IS 'Head of each stream: seq and hash of its last event; 0 and 32 zero bytes before the first.';

CREATE TABLE events (
    stream text NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    kind text NOT NULL,
    header bytea NOT NULL,
    hash bytea NOT NULL GENERATED ALWAYS AS (sha256(header)) STORED,
    wall timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (stream, seq)
);
COMMENT ON COLUMN events.header IS 'RFC 8785 bytes, verbatim: what the hash covers. Never re-serialised.';
COMMENT ON COLUMN events.position IS
    'For people only. Commits land out of this order, so nothing may read the journal by it; hence no index.';

CREATE TABLE parts (
    stream text NOT NULL,
    seq integer NOT NULL,
    name text NOT NULL,
    text text NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (stream, seq, name)
);
COMMENT ON TABLE parts IS 'Texts that no fold needs. Rows may be deleted, never changed: the header keeps the commitment. No foreign key: it costs a tenth of an append.';

CREATE TABLE commands (
    stream text NOT NULL,
    id uuid NOT NULL,
    signed bytea NOT NULL,
    signature text NOT NULL,
    key text NOT NULL,
    first integer CHECK (first > 0),
    last integer CHECK (last >= first),
    answer jsonb NOT NULL,
    PRIMARY KEY (stream, id),
    CHECK ((first IS NULL) = (last IS NULL))
);
COMMENT ON COLUMN commands.signed IS 'RFC 8785 bytes that the signature covers, verbatim.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON commands FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON commands FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delete_only BEFORE UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delete_only_all BEFORE TRUNCATE ON parts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER heads_stay BEFORE DELETE ON streams FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER heads_stay_all BEFORE TRUNCATE ON streams FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE events ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE events ENABLE ALWAYS TRIGGER append_only_all;
ALTER TABLE commands ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE commands ENABLE ALWAYS TRIGGER append_only_all;
ALTER TABLE parts ENABLE ALWAYS TRIGGER delete_only;
ALTER TABLE parts ENABLE ALWAYS TRIGGER delete_only_all;
ALTER TABLE streams ENABLE ALWAYS TRIGGER heads_stay;
ALTER TABLE streams ENABLE ALWAYS TRIGGER heads_stay_all;
