-- What the nightly verification of everything found; and the log of looks under a role of its own.

CREATE TABLE verifications (
    run text PRIMARY KEY,
    at timestamptz NOT NULL,
    wrong integer NOT NULL CHECK (wrong >= 0),
    found jsonb NOT NULL
);
COMMENT ON TABLE verifications IS 'What each verification of everything found; one row a run, however often its activity was tried. Append-only.';
CREATE INDEX verifications_by_time ON verifications (at DESC);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON verifications FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON verifications FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE verifications ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE verifications ENABLE ALWAYS TRIGGER append_only_all;

GRANT SELECT ON verifications TO journeys_reader, journeys_writer;
GRANT INSERT ON verifications TO journeys_writer;

DO $$
BEGIN
    -- Roles belong to the whole cluster: another database may have made it.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'journeys_looks') THEN
        BEGIN
            CREATE ROLE journeys_looks NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'journeys_looks', 'SET') THEN
        GRANT journeys_looks TO CURRENT_USER;
    END IF;
END
$$;

-- Lines are added as this role alone, and read as it and with an auditor's own login (journeys_reader): whoever writes
-- the journal or serves pages has no right to them. Nobody may change or remove one.
REVOKE ALL ON reads FROM journeys_web, journeys_writer;
GRANT INSERT (staff, login, roles, journey, look, entry), SELECT ON reads TO journeys_looks;
GRANT SELECT (id, handle, sealed) ON staff TO journeys_looks;
