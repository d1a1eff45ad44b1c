-- What replays of every history found goes as what verifications found does: when its time is over, and none before a month has passed.

DROP TRIGGER append_only ON replays;
CREATE TRIGGER append_only BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION refuse_other_replay();
CREATE TRIGGER stays_a_month BEFORE DELETE ON replays FOR EACH ROW
    WHEN (OLD.begun > clock_timestamp() - interval '27 days') EXECUTE FUNCTION refuse_change();
ALTER TABLE replays ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE replays ENABLE ALWAYS TRIGGER stays_a_month;
COMMENT ON TABLE replays IS
    'Replays of every history: who asked, how far it is, and what it found; once that is said, it stays until its time is over.';

-- The last one stays, however old: it says how long nobody has asked.
CREATE FUNCTION replays_forget(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    IF p_before > clock_timestamp() - interval '27 days' THEN
        RAISE EXCEPTION 'what a replay found is kept for a month' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM replays r WHERE r.begun < p_before AND r.begun < (SELECT max(begun) FROM replays);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
REVOKE ALL ON FUNCTION replays_forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replays_forget TO journeys_writer;
