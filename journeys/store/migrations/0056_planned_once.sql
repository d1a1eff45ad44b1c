-- What PostgreSQL derives for a row of the lists, by functions whose plans a session keeps: one in SQL is planned anew
-- for each row that is written, which was half of what writing it took.

CREATE OR REPLACE FUNCTION turn_keys_in(summary jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    item jsonb;
    keys text[] := '{}';
BEGIN
    FOR item IN SELECT jsonb_path_query(summary,
        '$.board[*] ? (@.kind == "escalation" || @.role != "referent" && @.kind != "referral")')
    LOOP
        keys := keys || (
            CASE WHEN item ->> 'kind' = 'escalation' THEN 'a'
                 WHEN item ->> 'at' IS NULL THEN 'd'
                 WHEN item ->> 'kind' = 'grant' OR (item ->> 'kind' = 'receipt' AND item ->> 'role' = 'finance')
                   OR item ->> 'note' = 'to-hand-over' THEN 'b'
                 ELSE 'c' END
            || rpad(coalesce(item ->> 'at', item ->> 'since', ''), 27, '~') || (item ->> 'role'));
    END LOOP;
    RETURN keys;
END
$$;

CREATE OR REPLACE FUNCTION offered_in(summary jsonb) RETURNS uuid LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (jsonb_path_query_first(summary, '$.board[*] ? (@.kind == "transfer").about') #>> '{}')::uuid;
END
$$;
