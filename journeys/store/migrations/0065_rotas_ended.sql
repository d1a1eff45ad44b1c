-- A rota that is no longer kept: until here, a year of warnings that nobody is on call was its only end.

CREATE TABLE rotas_ended (
    role text NOT NULL CHECK (role <> ''),
    site text,
    at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (role, site)
);
COMMENT ON TABLE rotas_ended IS 'Since when a rota is kept no longer; a shift that begins later begins it anew. Follows the stream of the system.';
COMMENT ON COLUMN rotas_ended.site IS 'Null: the rota for every site.';
GRANT SELECT ON rotas_ended TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, UPDATE ON rotas_ended TO journeys_writer;
