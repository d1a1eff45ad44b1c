-- Documents that people show: the bytes, beside the journal that keeps what they must be. One copy a journey.

CREATE TABLE documents (
    stream text NOT NULL,
    digest bytea NOT NULL,
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, digest),
    CONSTRAINT documents_are_what_they_say CHECK (digest = sha256(content))
);
-- Scans are compressed already.
ALTER TABLE documents ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON TABLE documents IS 'Rows may be deleted, never changed. What a document is called and what it is stands in the journal, as a part.';

CREATE TABLE document_holds (
    stream text NOT NULL,
    command uuid NOT NULL,
    digest bytea NOT NULL,
    held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken boolean NOT NULL DEFAULT false,
    PRIMARY KEY (stream, command, digest),
    FOREIGN KEY (stream, digest) REFERENCES documents
);
COMMENT ON TABLE document_holds IS 'For which commands a document is kept; without one it goes.';
COMMENT ON COLUMN document_holds.taken IS 'The journal has taken the command: found out by document_settle and documents_sweep.';
CREATE INDEX document_holds_waiting ON document_holds (held_at) WHERE NOT taken;
CREATE INDEX document_holds_of ON document_holds (stream, digest);

CREATE TRIGGER delete_only BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delete_only_all BEFORE TRUNCATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE documents ENABLE ALWAYS TRIGGER delete_only;
ALTER TABLE documents ENABLE ALWAYS TRIGGER delete_only_all;

-- The fate of a command is known: what it shows stays when the journal has taken it, else it goes. The writer cannot delete a document itself:
-- what the journal speaks of is out of its reach.
CREATE FUNCTION document_settle(p_stream text, p_command uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    let_go bytea[];
    gone integer := 0;
    each bytea;
BEGIN
    IF EXISTS (SELECT FROM commands c WHERE c.stream = p_stream AND c.id = p_command
               AND c.answer ->> 'outcome' = 'accepted') THEN
        UPDATE document_holds h SET taken = true WHERE h.stream = p_stream AND h.command = p_command AND NOT h.taken;
        RETURN 0;
    END IF;
    WITH released AS (
        DELETE FROM document_holds h WHERE h.stream = p_stream AND h.command = p_command RETURNING h.digest
    ) SELECT array_agg(digest) INTO let_go FROM released;
    FOREACH each IN ARRAY coalesce(let_go, '{}') LOOP
        BEGIN
            DELETE FROM documents d WHERE d.stream = p_stream AND d.digest = each
                AND NOT EXISTS (SELECT FROM document_holds h WHERE h.stream = d.stream AND h.digest = d.digest);
            IF FOUND THEN
                gone := gone + 1;
            END IF;
        EXCEPTION WHEN foreign_key_violation THEN
            NULL; -- The same document has just been brought again.
        END;
    END LOOP;
    RETURN gone;
END
$$;

-- The same for every command older than an instant that the journal has not taken: uploads that were cut off.
CREATE FUNCTION documents_sweep(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer := 0;
    each record;
BEGIN
    FOR each IN SELECT DISTINCT h.stream, h.command FROM document_holds h WHERE NOT h.taken AND h.held_at < p_before LOOP
        gone := gone + document_settle(each.stream, each.command);
    END LOOP;
    RETURN gone;
END
$$;

REVOKE ALL ON FUNCTION document_settle, documents_sweep FROM PUBLIC;
GRANT EXECUTE ON FUNCTION document_settle, documents_sweep TO journeys_writer;
GRANT SELECT, INSERT ON documents, document_holds TO journeys_writer;
GRANT SELECT ON documents, document_holds TO journeys_reader;
GRANT SELECT, DELETE ON documents, document_holds TO journeys_retention;
GRANT SELECT ON documents TO journeys_web;

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON documents TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY visit ON documents FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream))
);
