-- Who may do what, by group roles without login. Roles belong to the whole cluster: another database may have made them.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['journeys_writer', 'journeys_reader', 'journeys_retention'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO journeys_reader, journeys_writer;

GRANT INSERT ON events, parts, commands, texts, ledger_transactions, ledger_entries TO journeys_writer;
GRANT INSERT, UPDATE ON streams, journeys, published, claims, people, staff, mentors, partners, funds TO journeys_writer;
GRANT INSERT, UPDATE, DELETE ON absences TO journeys_writer;

GRANT SELECT, DELETE ON parts TO journeys_retention;
GRANT SELECT ON streams, events TO journeys_retention;

REVOKE ALL ON FUNCTION journal_append, view_put FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_append, view_put TO journeys_writer;
