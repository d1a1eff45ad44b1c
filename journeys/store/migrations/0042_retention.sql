-- What had been kept long enough goes: rows that the writer cannot delete itself go by functions, and none too early.

CREATE FUNCTION tokens_forget(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    IF p_before > clock_timestamp() - interval '27 days' THEN
        RAISE EXCEPTION 'a token that ended is kept for a month' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM tokens t WHERE least(t.expires_at, t.revoked_at) < p_before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- The digests stay; so does what was kept of a journey that goes on.
CREATE FUNCTION histories_forget(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    IF p_before > clock_timestamp() - interval '360 days' THEN
        RAISE EXCEPTION 'the history of a run is kept for a year' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM history_files f USING histories h WHERE h.run = f.run AND h.closed_at < p_before
        AND NOT EXISTS (SELECT FROM journeys j WHERE 'journey-' || j.id = h.stream AND j.status <> 'closed');
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

REVOKE ALL ON FUNCTION tokens_forget, histories_forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tokens_forget, histories_forget TO journeys_writer;

-- When mentors last did something, and who counts on them: a page asks both.
CREATE INDEX events_of_mentors ON events (stream)
    WHERE kind IN ('MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled', 'MentorEnded');
