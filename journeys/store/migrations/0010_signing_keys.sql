-- Which signing keys the workers have: what an entry point can know before it writes anything of its own.

CREATE TABLE signing_keys (
    id text PRIMARY KEY,
    proof bytea NOT NULL CHECK (octet_length(proof) = 32)
);

GRANT SELECT ON signing_keys TO journeys_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON signing_keys TO journeys_writer;
