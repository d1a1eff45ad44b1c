-- Of somebody who is forgotten accounting keeps to whom money was promised and what shows how it was used: no payee of what was refused, or given up.

CREATE FUNCTION accounting_parts(p_person uuid) RETURNS TABLE (stream text, seq integer, name text)
LANGUAGE sql STABLE AS $$
    WITH own AS (SELECT 'journey-' || j.id AS stream FROM journeys j WHERE j.person = p_person),
    promised AS (
        SELECT convert_from(e.header, 'UTF8')::jsonb -> 'data' ->> 'payee' AS payee
        FROM own JOIN ledger_transactions t ON t.stream = own.stream
        JOIN events e ON e.stream = t.stream AND e.seq = t.seq
        WHERE t.kind = 'reserved'
    )
    SELECT p.stream, p.seq, p.name
    FROM own JOIN parts p ON p.stream = own.stream JOIN events e ON e.stream = p.stream AND e.seq = p.seq
    WHERE is_kept(p.sealed, p_person) AND EXISTS (SELECT FROM promised) AND (
        p.name <> 'payee' OR convert_from(e.header, 'UTF8')::jsonb -> 'parts' ->> 'payee' IN (SELECT payee FROM promised))
$$;
COMMENT ON FUNCTION accounting_parts IS
    'The parts that stay of a person: payees to whom something was promised, known by their commitment; receipts, and who signed.';
GRANT EXECUTE ON FUNCTION accounting_parts TO journeys_writer, journeys_reader;

CREATE OR REPLACE FUNCTION erase_person(p_person uuid, p_documents_kept bytea[]) RETURNS void
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
    DELETE FROM parts p WHERE p.stream = ANY (own)
        AND (p.stream, p.seq, p.name) NOT IN (SELECT k.stream, k.seq, k.name FROM accounting_parts(p_person) k);
    DELETE FROM document_holds h WHERE h.stream = ANY (own) AND NOT (paid AND h.digest = ANY (p_documents_kept));
    DELETE FROM documents d WHERE d.stream = ANY (own) AND NOT (paid AND d.digest = ANY (p_documents_kept));
    DELETE FROM history_files f USING histories h WHERE h.run = f.run AND h.stream = ANY (own);
    DELETE FROM person_tokens t WHERE t.person = p_person;
    DELETE FROM paper_letters l USING journeys j WHERE j.id = l.journey AND j.person = p_person;
    UPDATE people SET sealed = NULL, reference_token = NULL, paused_until = NULL, died_on = NULL WHERE id = p_person;
END
$$;

-- Of those who were forgotten before.
DELETE FROM parts p USING journeys j, people o
    WHERE p.stream = 'journey-' || j.id AND o.id = j.person AND o.erasing AND o.sealed IS NULL
      AND (p.stream, p.seq, p.name) NOT IN (SELECT k.stream, k.seq, k.name FROM accounting_parts(o.id) k);
