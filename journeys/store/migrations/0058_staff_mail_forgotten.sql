-- Whoever is forgotten leaves neither what became of their mail, nor which letters went to them.

CREATE OR REPLACE FUNCTION erase_staff(p_staff uuid) RETURNS void
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
    DELETE FROM staff_letters l WHERE l.staff = p_staff;
    UPDATE absences SET deputy = NULL WHERE deputy = p_staff;
    UPDATE staff SET sealed = NULL, handle = 'efface-' || right(id::text, 12), active = false,
        mail_failed = NULL, mail_failed_at = NULL, mail_returned = false
        WHERE id = p_staff;
END
$$;

-- Those who were forgotten before.
DELETE FROM staff_letters l USING staff s WHERE s.id = l.staff AND s.erasing AND s.sealed IS NULL;
UPDATE staff SET mail_failed = NULL, mail_failed_at = NULL, mail_returned = false
    WHERE erasing AND sealed IS NULL AND mail_failed IS NOT NULL;
