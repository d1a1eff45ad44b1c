-- What a list of thousands sorts and counts by, of each item of `turns` in its place: a letter for its rank, the moment
-- (27 characters; ~ for none), and the roles whose turn it is. Taking the items apart cost most of such a list.
--   a: an alert, late whatever its moment    b: for today, late once its moment is past
--   c: by its moment                         d: for today, whatever its moment

CREATE FUNCTION turn_keys_in(summary jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(
        CASE WHEN item ->> 'kind' = 'escalation' THEN 'a'
             WHEN item ->> 'at' IS NULL THEN 'd'
             WHEN item ->> 'kind' = 'grant' OR (item ->> 'kind' = 'receipt' AND item ->> 'role' = 'finance')
               OR item ->> 'note' = 'to-hand-over' THEN 'b'
             ELSE 'c' END
        || rpad(coalesce(item ->> 'at', item ->> 'since', ''), 27, '~') || (item ->> 'role')
        ORDER BY place), '{}')
    FROM jsonb_path_query(summary,
        '$.board[*] ? (@.kind == "escalation" || @.role != "referent" && @.kind != "referral")')
        WITH ORDINALITY AS turn (item, place)
$$;
ALTER TABLE journeys ADD COLUMN turn_keys text[] NOT NULL GENERATED ALWAYS AS (turn_keys_in(summary)) STORED;
COMMENT ON COLUMN journeys.turn_keys IS 'Rank, moment and roles of each item of `turns`, in its place: what a list of thousands sorts and counts by.';
