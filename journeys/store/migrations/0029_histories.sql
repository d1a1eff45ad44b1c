-- Histories of the engine's runs, kept beyond its retention: sealed, each known by its digest, which stands in the journal.

CREATE TABLE histories (
    run uuid PRIMARY KEY,
    stream text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    events integer NOT NULL CHECK (events > 0),
    closed_at timestamptz NOT NULL,
    seq integer NOT NULL
);
COMMENT ON TABLE histories IS 'Runs of journeys that have ended. Append-only.';
COMMENT ON COLUMN histories.digest IS 'SHA-256 of the history as exported.';
COMMENT ON COLUMN histories.seq IS 'Of its fact in the stream `system`.';
CREATE INDEX histories_of ON histories (stream, closed_at);

CREATE TABLE history_files (
    run uuid PRIMARY KEY REFERENCES histories,
    sealed bytea NOT NULL
);
COMMENT ON TABLE history_files IS 'The exported history, compressed and sealed. Rows may be deleted, never changed.';
ALTER TABLE history_files ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON histories FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON histories FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE histories ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE histories ENABLE ALWAYS TRIGGER append_only_all;
CREATE TRIGGER delete_only BEFORE UPDATE ON history_files FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delete_only_all BEFORE TRUNCATE ON history_files FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE history_files ENABLE ALWAYS TRIGGER delete_only;
ALTER TABLE history_files ENABLE ALWAYS TRIGGER delete_only_all;

GRANT SELECT ON histories, history_files TO journeys_reader, journeys_writer;
GRANT INSERT ON histories, history_files TO journeys_writer;
GRANT SELECT, DELETE ON history_files TO journeys_retention;
