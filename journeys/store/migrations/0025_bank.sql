-- Transfers to the bank and what comes back: a payment in one batch for ever, a file once, a line once. What is written stays; names and accounts
-- stand apart, sealed, and may be deleted.

CREATE TABLE transfers (
    payment uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    amount bigint NOT NULL CHECK (amount > 0),
    sealed bytea NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE transfers IS 'Instructed, and waiting for a batch or in one. Rows may be deleted, never changed.';
COMMENT ON COLUMN transfers.sealed IS 'Name and IBAN.';

CREATE TABLE batches (
    id uuid PRIMARY KEY,
    message text NOT NULL UNIQUE,
    execute_on date NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    total bigint NOT NULL CHECK (total > 0),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32)
);
COMMENT ON COLUMN batches.digest IS 'SHA-256 of the file as the bank gets it.';
CREATE INDEX batches_by_day ON batches (execute_on);

CREATE TABLE batch_transfers (
    payment uuid CONSTRAINT batched_once PRIMARY KEY,
    batch uuid NOT NULL REFERENCES batches DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX batch_transfers_of ON batch_transfers (batch);

CREATE TABLE batch_files (
    batch uuid PRIMARY KEY REFERENCES batches,
    sealed bytea NOT NULL
);
COMMENT ON TABLE batch_files IS 'The bytes, rendered once. Rows may be deleted, never changed.';
ALTER TABLE batch_files ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE batch_givings (
    batch uuid NOT NULL REFERENCES batches,
    given_at timestamptz NOT NULL,
    given_by text NOT NULL,
    seq integer NOT NULL,
    PRIMARY KEY (batch, seq)
);
COMMENT ON COLUMN batch_givings.seq IS 'Of its fact in the stream `system`. Written before the bytes are handed over.';

CREATE TABLE bank_files (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    kind text NOT NULL CHECK (kind IN ('pain.002', 'camt.053', 'camt.054')),
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    lines integer NOT NULL CHECK (lines >= 0),
    fresh integer NOT NULL CHECK (fresh BETWEEN 0 AND lines),
    seq integer NOT NULL
);
COMMENT ON COLUMN bank_files.fresh IS 'Lines that no earlier file had; only these are kept.';

CREATE TABLE bank_statements (
    file bytea NOT NULL REFERENCES bank_files DEFERRABLE INITIALLY DEFERRED,
    nth integer NOT NULL,
    id text NOT NULL,
    first_day date,
    last_day date,
    opening bigint,
    closing bigint,
    PRIMARY KEY (file, nth)
);
COMMENT ON TABLE bank_statements IS 'Balances in cents as the bank booked them.';

CREATE TABLE bank_lines (
    file bytea NOT NULL REFERENCES bank_files DEFERRABLE INITIALLY DEFERRED,
    position integer NOT NULL CHECK (position > 0),
    identity bytea NOT NULL CONSTRAINT lines_once UNIQUE,
    alike bytea NOT NULL,
    booked_on date,
    cents bigint,
    reference text,
    bank_reference text,
    batch text,
    code text,
    payment uuid,
    reason text,
    trouble text,
    PRIMARY KEY (file, position),
    CHECK ((booked_on IS NULL) = (cents IS NULL))
);
COMMENT ON TABLE bank_lines IS 'What the bank booked, and what it answered (then without day and cents). Positions count through the file from 1.';
COMMENT ON COLUMN bank_lines.alike IS 'Identity without the bank''s own reference: a notice and a statement may differ by it.';
COMMENT ON COLUMN bank_lines.code IS 'Status of an answer, as the bank wrote it.';
CREATE INDEX bank_lines_alike ON bank_lines (alike);
CREATE INDEX bank_lines_of_payment ON bank_lines (payment) WHERE payment IS NOT NULL;
CREATE INDEX bank_lines_troubled ON bank_lines (file, position) WHERE trouble IS NOT NULL;

CREATE TABLE bank_texts (
    file bytea NOT NULL,
    position integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (file, position)
);
COMMENT ON TABLE bank_texts IS 'Name, IBAN and words of a line. Rows may be deleted, never changed.';

CREATE TABLE bank_tellings (
    file bytea NOT NULL,
    position integer NOT NULL,
    payment uuid NOT NULL,
    said text NOT NULL,
    stream text NOT NULL,
    reason text,
    told_at timestamptz,
    refused text,
    PRIMARY KEY (file, position, payment, said),
    FOREIGN KEY (file, position) REFERENCES bank_lines
);
COMMENT ON TABLE bank_tellings IS 'What journeys are told of their payments; told_at is null until the journey has answered.';
CREATE INDEX bank_tellings_waiting ON bank_tellings (file, position) WHERE told_at IS NULL;
CREATE INDEX bank_tellings_refused ON bank_tellings (file, position) WHERE refused IS NOT NULL;
CREATE INDEX bank_tellings_of_payment ON bank_tellings (payment);

CREATE TABLE bank_resolutions (
    file bytea NOT NULL,
    position integer NOT NULL,
    how text NOT NULL CHECK (how IN ('match', 'not-ours', 'refund')),
    payment uuid,
    batch uuid REFERENCES batches,
    resolved_at timestamptz NOT NULL,
    resolved_by text NOT NULL,
    seq integer NOT NULL,
    PRIMARY KEY (file, position),
    FOREIGN KEY (file, position) REFERENCES bank_lines,
    CHECK (num_nonnulls(payment, batch) = (how = 'match')::integer)
);
COMMENT ON COLUMN bank_resolutions.batch IS 'Matched as a whole: the bank booked it as one sum.';
COMMENT ON COLUMN bank_resolutions.seq IS 'Of its fact in the stream `system`; why is a part of it.';

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['batches', 'batch_transfers', 'batch_givings', 'bank_files', 'bank_statements', 'bank_lines', 'bank_resolutions'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', each);
    END LOOP;
    FOREACH each IN ARRAY ARRAY['transfers', 'batch_files', 'bank_texts'] LOOP
        EXECUTE format('CREATE TRIGGER delete_only BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('CREATE TRIGGER delete_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER delete_only', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER delete_only_all', each);
    END LOOP;
    -- Whoever answers for the whole account sees it: a file of the bank knows no funds.
    FOREACH each IN ARRAY ARRAY['batches', 'batch_transfers', 'batch_givings', 'bank_files', 'bank_statements', 'bank_lines', 'bank_texts',
                                'bank_tellings', 'bank_resolutions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', each);
        EXECUTE format('CREATE POLICY engine ON %I TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true)', each);
        EXECUTE format('CREATE POLICY visit ON %I FOR SELECT TO journeys_web USING ('
                       '(SELECT reach_has(''all'')) OR ((SELECT reach_has(''money'')) AND (SELECT my_funds()) = ''{}''))', each);
        EXECUTE format('GRANT SELECT ON %I TO journeys_web', each);
    END LOOP;
END
$$;

GRANT SELECT ON transfers, batches, batch_transfers, batch_files, batch_givings, bank_files, bank_statements, bank_lines, bank_texts, bank_tellings,
    bank_resolutions TO journeys_reader, journeys_writer;
GRANT INSERT ON transfers, batches, batch_transfers, batch_files, batch_givings, bank_files, bank_statements, bank_lines, bank_texts, bank_tellings,
    bank_resolutions TO journeys_writer;
GRANT UPDATE ON bank_tellings TO journeys_writer;
GRANT SELECT, DELETE ON transfers, batch_files, bank_texts TO journeys_retention;
