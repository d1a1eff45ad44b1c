-- A rota that is no longer kept: until here, a year of warnings that nobody is on call was its only end.

CREATE TABLE rotas_ended (
    role text NOT NULL CHECK (role <> ''),
    site text,
    UNIQUE NULLS NOT DISTINCT (role, site)
);
COMMENT ON TABLE rotas_ended IS 'Rotas that are kept no longer, until a shift is noted again. Follows the stream of the system, and the shifts.';
COMMENT ON COLUMN rotas_ended.site IS 'Null: the rota for every site.';
GRANT SELECT ON rotas_ended TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, DELETE ON rotas_ended TO journeys_writer;
