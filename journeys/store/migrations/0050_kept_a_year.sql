-- Digests, and what verifications found, go when their time is over; and none before a month has passed.

DROP TRIGGER left_stays ON digests;
CREATE TRIGGER left_stays BEFORE UPDATE ON digests FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION digest_has_left();
CREATE TRIGGER left_stays_a_month BEFORE DELETE ON digests FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND OLD.begun_at > clock_timestamp() - interval '27 days')
    EXECUTE FUNCTION digest_has_left();
ALTER TABLE digests ENABLE ALWAYS TRIGGER left_stays;
ALTER TABLE digests ENABLE ALWAYS TRIGGER left_stays_a_month;

DROP TRIGGER append_only ON verifications;
CREATE TRIGGER append_only BEFORE UPDATE ON verifications FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stays_a_month BEFORE DELETE ON verifications FOR EACH ROW
    WHEN (OLD.at > clock_timestamp() - interval '27 days') EXECUTE FUNCTION refuse_change();
ALTER TABLE verifications ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE verifications ENABLE ALWAYS TRIGGER stays_a_month;
COMMENT ON TABLE verifications IS
    'What each verification of everything found; one row a run, however often its activity was tried. Rows are never changed; they go when their time is over.';

-- The last one stays, however old: it says how long nobody has looked.
CREATE FUNCTION verifications_forget(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    IF p_before > clock_timestamp() - interval '27 days' THEN
        RAISE EXCEPTION 'what a verification found is kept for a month' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM verifications v WHERE v.at < p_before AND v.at < (SELECT max(at) FROM verifications);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
REVOKE ALL ON FUNCTION verifications_forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION verifications_forget TO journeys_writer;
