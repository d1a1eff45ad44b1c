-- Databases and roles beside each other in one PostgreSQL: Temporal's two, the journal's own, and the
-- keys of what is sealed in it. Runs again safely.
-- Run by create-databases.sh, as a superuser.
--
--   temporal         owns temporal and temporal_visibility
--   journeys_owner   owns journeys and journeys_keys; runs the migrations, nothing else
--   journeys_app     workers, pages and command line; a member of journeys_writer, which may add to the journal only,
--                    and of journeys_reader, journeys_web, journeys_sequencer, journeys_looks and journeys_keys
--
-- The migrations give the group roles their rights: journeys_writer; journeys_reader; journeys_retention, which may
-- delete parts of events; journeys_web, which sees what a session may; journeys_sequencer, which gives events their
-- places in the log and keeps checkpoints; journeys_looks, which notes who opened whose file. They are created here
-- already, so that the owner of the tables needs no right to create roles. No process of ours works in
-- journeys_retention, and no login but the owner's is in it: the parts of whoever is forgotten are deleted by functions
-- that journeys_writer may call and that ask for an order of erasure on record.
-- An auditor's login: a role IN ROLE journeys_reader.

-- Statements with passwords must not reach the server's log, whatever it is set to keep.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
-- "Already granted" at every start is no news.
SET client_min_messages = 'warning';

\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv owner_password JOURNEYS_OWNER_PASSWORD
\getenv app_password JOURNEYS_APP_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY[
    'temporal', 'journeys_owner', 'journeys_app', 'journeys_writer', 'journeys_reader', 'journeys_retention',
    'journeys_web', 'journeys_sequencer', 'journeys_looks', 'journeys_keys'
]) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE temporal LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'temporal_password';
ALTER ROLE journeys_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE journeys_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
ALTER ROLE journeys_writer NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_reader NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_retention NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_keys NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_web NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_sequencer NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE journeys_looks NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

GRANT journeys_writer, journeys_reader, journeys_web, journeys_sequencer, journeys_looks, journeys_keys TO journeys_app;
-- The migrations ask for it; to the owner of the tables it gives nothing new.
GRANT journeys_writer, journeys_reader, journeys_retention, journeys_web, journeys_sequencer, journeys_looks, journeys_keys
    TO journeys_owner;

-- C.UTF-8 of PostgreSQL itself: the order of an index does not change with the C library of the next image.
SELECT format(
    'CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''',
    database, owner
)
FROM (VALUES
    ('temporal', 'temporal'),
    ('temporal_visibility', 'temporal'),
    ('journeys', 'journeys_owner'),
    ('journeys_keys', 'journeys_owner')
) AS wanted (database, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = database)
\gexec

-- By default every role may connect to every database.
REVOKE ALL ON DATABASE postgres, temporal, temporal_visibility, journeys, journeys_keys FROM PUBLIC;
GRANT CONNECT ON DATABASE journeys TO journeys_writer, journeys_reader, journeys_retention, journeys_web,
    journeys_sequencer, journeys_looks;
GRANT CONNECT ON DATABASE journeys_keys TO journeys_keys;
