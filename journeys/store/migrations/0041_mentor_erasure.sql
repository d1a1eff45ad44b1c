-- A mentor is forgotten as a person is: ordered on record, then the key goes, and all that it opened.

ALTER TABLE erasures ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'mentor'));
ALTER TABLE erasures DROP CONSTRAINT erasures_person_fkey, DROP CONSTRAINT erasures_pkey, ADD PRIMARY KEY (kind, person);
COMMENT ON COLUMN erasures.person IS 'Of a person, or of a mentor: somebody may be both, under one id.';

ALTER TABLE mentors ADD COLUMN erasing boolean NOT NULL DEFAULT false;
ALTER TABLE mentors ALTER COLUMN sealed DROP NOT NULL;
COMMENT ON COLUMN mentors.erasing IS 'Nobody counts on them any more: they are in no list, and nothing is written of them.';

-- Whoever works as the writer can delete nothing of this otherwise.
CREATE FUNCTION erase_mentor(p_mentor uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.stream = 'mentor-' || p_mentor AND e.kind = 'ErasureOrdered') THEN
        RAISE EXCEPTION 'nobody ordered the erasure of mentor %', p_mentor USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM parts p WHERE p.stream = 'mentor-' || p_mentor;
    UPDATE mentors SET sealed = NULL, site = NULL, available = false WHERE id = p_mentor;
END
$$;
REVOKE ALL ON FUNCTION erase_mentor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_mentor TO journeys_writer;
