-- A person is forgotten: what may go goes in one statement, and only where the record says that it was ordered.

CREATE TABLE erasures (
    person uuid PRIMARY KEY REFERENCES people,
    seq integer NOT NULL,
    reason text NOT NULL,
    ordered_at timestamptz NOT NULL,
    ordered_by text NOT NULL,
    held jsonb,
    erased_at timestamptz,
    certificate integer,
    CHECK ((erased_at IS NULL) = (certificate IS NULL))
);
COMMENT ON TABLE erasures IS 'Who is forgotten, or is being forgotten. seq and certificate: of the facts in the stream of the person.';
COMMENT ON COLUMN erasures.held IS 'What there was before anything went: kept, because it cannot be counted a second time.';
CREATE INDEX erasures_under_way ON erasures (ordered_at) WHERE erased_at IS NULL;
GRANT SELECT ON erasures TO journeys_reader, journeys_writer, journeys_retention;
GRANT INSERT, UPDATE (held, erased_at, certificate) ON erasures TO journeys_writer;

ALTER TABLE people ADD COLUMN erasing boolean NOT NULL DEFAULT false;
ALTER TABLE people ALTER COLUMN sealed DROP NOT NULL;
COMMENT ON COLUMN people.erasing IS 'Nothing is written of the person any more. On the row that every change locks, so that none slips past.';

-- The parts that accounting must keep are sealed under the person's finance key, whose id stands in front of them.
CREATE FUNCTION is_kept(sealed bytea, person uuid) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sealed IS NOT NULL AND substring(sealed FROM 3 FOR get_byte(sealed, 1)) = convert_to('finance-' || person, 'UTF8')
$$;

-- Whoever works as the writer can delete nothing of this otherwise.
CREATE FUNCTION erase_person(p_person uuid, p_documents_kept bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text[];
    paid boolean := EXISTS (SELECT FROM ledger_transactions t WHERE t.person = p_person);
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.stream = 'person-' || p_person AND e.kind = 'ErasureOrdered') THEN
        RAISE EXCEPTION 'nobody ordered the erasure of person %', p_person USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT array_agg('journey-' || j.id) INTO own FROM journeys j WHERE j.person = p_person;
    own := own || ('person-' || p_person);
    DELETE FROM parts p WHERE p.stream = ANY (own) AND NOT (paid AND is_kept(p.sealed, p_person));
    DELETE FROM document_holds h WHERE h.stream = ANY (own) AND NOT (paid AND h.digest = ANY (p_documents_kept));
    DELETE FROM documents d WHERE d.stream = ANY (own) AND NOT (paid AND d.digest = ANY (p_documents_kept));
    DELETE FROM history_files f USING histories h WHERE h.run = f.run AND h.stream = ANY (own);
    DELETE FROM person_tokens t WHERE t.person = p_person;
    UPDATE people SET sealed = NULL, reference_token = NULL, paused_until = NULL, died_on = NULL WHERE id = p_person;
END
$$;
REVOKE ALL ON FUNCTION erase_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person TO journeys_writer;
GRANT EXECUTE ON FUNCTION is_kept TO journeys_writer, journeys_reader;
