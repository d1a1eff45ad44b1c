-- Letters on paper and shifts on call go with whom they are of; a letter is for posting only while it is of use.

ALTER TABLE paper_letters ADD COLUMN valid_until timestamptz;
COMMENT ON COLUMN paper_letters.valid_until IS 'From then on it is of no use to the person. Null: it always is.';

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
    DELETE FROM parts p WHERE p.stream = ANY (own) AND NOT (paid AND is_kept(p.sealed, p_person));
    DELETE FROM document_holds h WHERE h.stream = ANY (own) AND NOT (paid AND h.digest = ANY (p_documents_kept));
    DELETE FROM documents d WHERE d.stream = ANY (own) AND NOT (paid AND d.digest = ANY (p_documents_kept));
    DELETE FROM history_files f USING histories h WHERE h.run = f.run AND h.stream = ANY (own);
    DELETE FROM person_tokens t WHERE t.person = p_person;
    DELETE FROM paper_letters l USING journeys j WHERE j.id = l.journey AND j.person = p_person;
    UPDATE people SET sealed = NULL, reference_token = NULL, paused_until = NULL, died_on = NULL WHERE id = p_person;
END
$$;

CREATE OR REPLACE FUNCTION erase_mentor(p_mentor uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.stream = 'mentor-' || p_mentor AND e.kind = 'ErasureOrdered') THEN
        RAISE EXCEPTION 'nobody ordered the erasure of mentor %', p_mentor USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM parts p WHERE p.stream = 'mentor-' || p_mentor;
    DELETE FROM shifts s WHERE s.mentor = p_mentor;
    UPDATE mentors SET sealed = NULL, site = NULL, available = false WHERE id = p_mentor;
END
$$;

-- Letters on paper in which a mentor who is being forgotten is named: found by whoever can open them.
CREATE FUNCTION erase_letters(p_mentor uuid, p_letters uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM erasures e WHERE e.kind = 'mentor' AND e.person = p_mentor AND e.erased_at IS NULL) THEN
        RAISE EXCEPTION 'mentor % is not being erased', p_mentor USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM paper_letters l WHERE l.message = ANY (p_letters);
END
$$;
REVOKE ALL ON FUNCTION erase_letters FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_letters TO journeys_writer;

-- Of those who were forgotten before.
DELETE FROM paper_letters l USING journeys j, people p WHERE j.id = l.journey AND p.id = j.person AND p.sealed IS NULL;
DELETE FROM shifts s USING mentors m WHERE m.id = s.mentor AND m.sealed IS NULL;
