-- Who opened whose file: a log apart from the journal, by months, of which the old ones are dropped whole.

CREATE TABLE reads (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    staff uuid,
    login text,
    roles text[] NOT NULL,
    journey uuid,
    look text NOT NULL,
    entry text NOT NULL CHECK (entry IN ('web', 'api', 'cli')),
    CHECK (staff IS NOT NULL OR login IS NOT NULL)
) PARTITION BY RANGE (at);
COMMENT ON TABLE reads IS 'A line for each look into a person''s file. Append-only; dropped by months.';
COMMENT ON COLUMN reads.at IS 'The database''s clock when the line was written: nobody who adds one chooses it.';
COMMENT ON COLUMN reads.login IS 'The machine''s account, for the command line, where staff is only what was claimed.';
COMMENT ON COLUMN reads.journey IS 'Null: all of them at once.';
CREATE INDEX reads_at ON reads (at);
CREATE INDEX reads_of ON reads (journey, at);
CREATE INDEX reads_by ON reads (staff, at);
CREATE TABLE reads_other PARTITION OF reads DEFAULT;
COMMENT ON TABLE reads_other IS 'What comes in a month for which nobody made a partition: nothing is lost for that.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reads FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON reads FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON reads_other FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE reads ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE reads ENABLE ALWAYS TRIGGER append_only_all;
ALTER TABLE reads_other ENABLE ALWAYS TRIGGER append_only_all;

-- Months ahead are made, those that are over for `kept` months are dropped. Fewer than six nobody may ask for: whoever
-- serves or works could else make their own looks go.
CREATE FUNCTION reads_by_month(kept integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    name text;
    old text;
    dropped integer := 0;
    this_month CONSTANT timestamptz := date_trunc('month', clock_timestamp());
BEGIN
    IF kept < 6 THEN
        RAISE EXCEPTION 'looks are kept for six months at least, not %', kept USING ERRCODE = 'check_violation';
    END IF;
    -- Two rounds at once would make the same month.
    PERFORM pg_advisory_xact_lock(hashtext('reads_by_month'));
    FOR ahead IN 0..2 LOOP
        month := this_month + make_interval(months => ahead);
        name := 'reads_' || to_char(month, 'YYYY_MM');
        IF to_regclass(name) IS NULL
           AND NOT EXISTS (SELECT FROM reads_other r WHERE r.at >= month AND r.at < month + interval '1 month') THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF reads FOR VALUES FROM (%L) TO (%L)', name, month, month + interval '1 month');
            EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
            EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', name);
        END IF;
    END LOOP;
    FOR old IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'reads'::regclass AND c.relname ~ '^reads_\d{4}_\d{2}$'
                 AND to_timestamp(substr(c.relname, 7), 'YYYY_MM') < this_month - make_interval(months => kept) LOOP
        EXECUTE format('DROP TABLE %I', old);
        dropped := dropped + 1;
    END LOOP;
    -- What came while nobody made months goes when all of it is old.
    IF (SELECT max(r.at) FROM reads_other r) < this_month - make_interval(months => kept) THEN
        DROP TABLE reads_other;
        CREATE TABLE reads_other PARTITION OF reads DEFAULT;
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON reads_other FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        ALTER TABLE reads_other ENABLE ALWAYS TRIGGER append_only_all;
        dropped := dropped + 1;
    END IF;
    RETURN dropped;
END
$$;
SELECT reads_by_month(12);

-- Whoever serves pages adds lines, and can neither read nor change nor remove one.
GRANT INSERT (staff, login, roles, journey, look, entry) ON reads TO journeys_web, journeys_writer;
GRANT SELECT ON reads TO journeys_reader, journeys_writer;
REVOKE ALL ON FUNCTION reads_by_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reads_by_month TO journeys_writer;
