-- A member of staff who left, and a partner who takes nobody any more, are forgotten as a mentor is: ordered on record, then the key goes, and all that it opened.

ALTER TABLE erasures DROP CONSTRAINT erasures_kind_check,
    ADD CONSTRAINT erasures_kind_check CHECK (kind IN ('person', 'mentor', 'staff', 'partner'));
COMMENT ON COLUMN erasures.person IS 'Of a person, a mentor, a member of staff or a partner: somebody may be more than one, under one id.';

ALTER TABLE staff ADD COLUMN erasing boolean NOT NULL DEFAULT false;
ALTER TABLE staff ALTER COLUMN sealed DROP NOT NULL;
COMMENT ON COLUMN staff.erasing IS 'They left for good: they are in no list, and nothing is written of them. Roles and sites stay: who acted had them.';

-- Whoever works as the writer can delete nothing of this otherwise. Names stand in handles, too.
CREATE FUNCTION erase_staff(p_staff uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.stream = 'staff-' || p_staff AND e.kind = 'ErasureOrdered') THEN
        RAISE EXCEPTION 'nobody ordered the erasure of member %', p_staff USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM parts p WHERE p.stream = 'staff-' || p_staff;
    DELETE FROM sessions s WHERE s.staff = p_staff;
    DELETE FROM tokens t WHERE t.staff = p_staff;
    DELETE FROM accounts a WHERE a.staff = p_staff;
    DELETE FROM identities i WHERE i.staff = p_staff;
    DELETE FROM shifts s WHERE s.staff = p_staff;
    DELETE FROM absences a WHERE a.staff = p_staff;
    UPDATE absences SET deputy = NULL WHERE deputy = p_staff;
    UPDATE staff SET sealed = NULL, handle = 'efface-' || right(id::text, 12), active = false WHERE id = p_staff;
END
$$;
REVOKE ALL ON FUNCTION erase_staff FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_staff TO journeys_writer;

ALTER TABLE partners ADD COLUMN erasing boolean NOT NULL DEFAULT false;
ALTER TABLE partners ALTER COLUMN sealed DROP NOT NULL;
COMMENT ON COLUMN partners.erasing IS 'They are in no list any more, and nothing is written of them.';

CREATE FUNCTION erase_partner(p_partner uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.stream = 'partner-' || p_partner AND e.kind = 'ErasureOrdered') THEN
        RAISE EXCEPTION 'nobody ordered the erasure of partner %', p_partner USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM parts p WHERE p.stream = 'partner-' || p_partner;
    UPDATE partners SET sealed = NULL, active = false WHERE id = p_partner;
END
$$;
REVOKE ALL ON FUNCTION erase_partner FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_partner TO journeys_writer;
