-- One order of everything, and what proves it: each event gets a place in a log, the log is a Merkle tree (RFC 6962) kept
-- as tiles (C2SP tlog-tiles), and of the tree there are signed checkpoints. An append only says what is new (`pending`);
-- one sequencer gives the places, by what is there and not by how far it has read, so no late commit is passed over.

-- It said an order in which nothing was to be read; the log's is the one.
ALTER TABLE events DROP COLUMN position;

CREATE TABLE pending (stream text NOT NULL, first integer NOT NULL, last integer NOT NULL);
COMMENT ON TABLE pending IS 'Events without a place in the log yet: written by the append, deleted by the sequencer. No evidence itself.';

-- What the log says of itself: few among many.
CREATE INDEX events_of_log ON events (stream, seq) WHERE kind IN ('HeadsSnapshot', 'CheckpointKeyUsed', 'CheckpointKeyRevoked', 'LogBegun');

CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    origin text NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    edge bytea[] NOT NULL,
    snapshot_day date,
    refused jsonb
);
COMMENT ON TABLE log_head IS 'The one log. Its row is what sequencing and signing lock.';
COMMENT ON COLUMN log_head.origin IS 'Who the log is (C2SP tlog-checkpoint): kept by backups and changes of keys.';
COMMENT ON COLUMN log_head.edge IS 'The hashes of the partial tile of each level, from the leaves up.';
COMMENT ON COLUMN log_head.snapshot_day IS 'The day (of Paris) of the last HeadsSnapshot.';
COMMENT ON COLUMN log_head.refused IS 'Why nothing is signed any more; null while all is well.';
INSERT INTO log_head (origin, size, edge) VALUES ('release-journeys/' || gen_random_uuid(), 0, '{}');

CREATE TABLE log_entries (
    position bigint PRIMARY KEY CHECK (position >= 0),
    stream text NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    UNIQUE (stream, seq)
);
COMMENT ON TABLE log_entries IS 'The place of each event, from 0, without a gap. A leaf is sha256(0x00 || header).';

CREATE TABLE log_tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 63),
    n bigint NOT NULL CHECK (n >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, n)
);
COMMENT ON TABLE log_tiles IS 'Full tiles: 256 hashes of 32 bytes.';

CREATE TABLE checkpoints (
    origin text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (origin, size)
);

CREATE TABLE checkpoint_deliveries (
    party text NOT NULL,
    origin text NOT NULL,
    size bigint NOT NULL,
    delivered_at timestamptz NOT NULL,
    PRIMARY KEY (party, origin, size)
);
COMMENT ON COLUMN checkpoint_deliveries.party IS 'Kind and a digest of the address, which stands in the settings.';

CREATE TABLE checkpoint_parties (
    party text PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    reason text,
    since timestamptz,
    tried_at timestamptz NOT NULL
);
COMMENT ON TABLE checkpoint_parties IS 'How it goes with each party that checkpoints are delivered to; since: when it began to fail.';

DO $$
DECLARE
    frozen text;
BEGIN
    FOREACH frozen IN ARRAY ARRAY['log_entries', 'log_tiles', 'checkpoints', 'checkpoint_deliveries'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', frozen);
        EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', frozen);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', frozen);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', frozen);
    END LOOP;
    -- Roles belong to the whole cluster: another database may have made it.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'journeys_sequencer') THEN
        BEGIN
            CREATE ROLE journeys_sequencer NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'journeys_sequencer', 'SET') THEN
        GRANT journeys_sequencer TO CURRENT_USER;
    END IF;
END
$$;

GRANT INSERT ON pending TO journeys_writer;
GRANT SELECT ON pending, log_head, log_entries, log_tiles, checkpoints, checkpoint_deliveries, checkpoint_parties
    TO journeys_writer, journeys_reader, journeys_sequencer;
GRANT SELECT ON events, streams, migrations TO journeys_sequencer;
GRANT DELETE ON pending TO journeys_sequencer;
GRANT UPDATE ON log_head TO journeys_sequencer;
GRANT INSERT ON log_entries, log_tiles, checkpoints, checkpoint_deliveries TO journeys_sequencer;
GRANT INSERT, UPDATE ON checkpoint_parties TO journeys_sequencer;
CREATE POLICY sequencing ON events FOR SELECT TO journeys_sequencer USING (true);
CREATE POLICY sequencing ON streams FOR SELECT TO journeys_sequencer USING (true);

-- What was there before waits for its place like anything else.
INSERT INTO pending (stream, first, last) SELECT stream, 1, seq FROM streams WHERE seq > 0;

CREATE OR REPLACE FUNCTION journal_append(
    p_stream text,
    p_expected integer,
    p_kinds text[],
    p_headers bytea[],       -- canonical bytes whose `prev` holds 64 zeros
    p_prev_at integer[],     -- where those zeros begin, counted from 1
    p_part_seqs integer[], p_part_names text[], p_part_texts text[], p_part_salts bytea[],
    p_commands uuid[], p_signed bytea[], p_signatures text[], p_keys text[], p_firsts integer[], p_lasts integer[], p_answers text[],
    p_view jsonb,
    OUT outcome text,        -- 'accepted', 'ahead', 'behind' or 'known'; nothing is written but for 'accepted'
    OUT head integer,
    OUT link bytea           -- hash that the first offered header was linked to
) LANGUAGE plpgsql AS $$
DECLARE
    newest bytea;
    whole bytea;
    offered integer := coalesce(cardinality(p_headers), 0);
BEGIN
    SELECT s.seq, s.hash INTO head, link FROM streams s WHERE s.stream = p_stream FOR UPDATE;
    IF NOT FOUND AND p_expected = 0 THEN
        -- Two first writers meet here: the second waits for the first, then reads its head.
        INSERT INTO streams (stream, seq, hash) VALUES (p_stream, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT s.seq, s.hash INTO head, link FROM streams s WHERE s.stream = p_stream FOR UPDATE;
    END IF;
    head := coalesce(head, 0);
    IF head <> p_expected THEN
        outcome := CASE WHEN head > p_expected THEN 'ahead' ELSE 'behind' END;
        RETURN;
    END IF;
    IF cardinality(p_commands) > 0 THEN
        PERFORM FROM commands c WHERE c.stream = p_stream AND c.id = ANY (p_commands);
        IF FOUND THEN
            outcome := 'known';
            RETURN;
        END IF;
    END IF;

    -- Row by row: nearly every append has one event and one command, so a set would save nothing.
    newest := link;
    FOR i IN 1 .. offered LOOP
        whole := overlay(p_headers[i] PLACING convert_to(encode(newest, 'hex'), 'UTF8') FROM p_prev_at[i]);
        newest := sha256(whole);
        INSERT INTO events (stream, seq, kind, header) VALUES (p_stream, p_expected + i, p_kinds[i], whole);
    END LOOP;
    IF offered > 0 THEN
        UPDATE streams s SET seq = p_expected + offered, hash = newest WHERE s.stream = p_stream;
        -- No key and no index: nothing that another append, or whoever takes these away, could make this wait for.
        INSERT INTO pending (stream, first, last) VALUES (p_stream, p_expected + 1, p_expected + offered);
    END IF;
    FOR i IN 1 .. coalesce(cardinality(p_part_seqs), 0) LOOP
        INSERT INTO parts (stream, seq, name, text, salt)
            VALUES (p_stream, p_part_seqs[i], p_part_names[i], p_part_texts[i], p_part_salts[i]);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(p_commands), 0) LOOP
        INSERT INTO commands (stream, id, signed, signature, key, first, last, answer)
            VALUES (p_stream, p_commands[i], p_signed[i], p_signatures[i], p_keys[i], p_firsts[i], p_lasts[i], p_answers[i]::jsonb);
    END LOOP;
    outcome := 'accepted';
    head := p_expected + offered;
    IF p_view IS NOT NULL THEN
        PERFORM view_put(p_stream, p_view);
    ELSIF offered > 0 AND p_stream LIKE 'journey-%' THEN
        PERFORM view_moved(p_stream, head);
    END IF;
END
$$;
