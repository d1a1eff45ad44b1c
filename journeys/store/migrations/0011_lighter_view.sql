-- A row of the lists stays in its own page when it changes. Its roles are kept as they stand when they are the same:
-- the same array stored anew can differ in its bytes, the index on it is then written, and the row moves. A summary
-- up to half a page is not compressed, which cost more than all its lookups, each time it was written or read.

ALTER TABLE journeys SET (toast_tuple_target = 4080);

CREATE OR REPLACE FUNCTION view_put(p_stream text, p_view jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    roles text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(p_view -> 'waits_on', '[]')));
BEGIN
    UPDATE journeys j SET
        person = (p_view ->> 'person')::uuid, programme = p_view ->> 'programme', status = p_view ->> 'status',
        phase = p_view ->> 'phase', referent = (p_view ->> 'referent')::uuid, site = p_view ->> 'site',
        seq = (p_view ->> 'seq')::integer, next_due = (p_view ->> 'next_due')::timestamptz,
        late = coalesce((p_view ->> 'late')::integer, 0), summary = p_view,
        money = coalesce((p_view ->> 'money')::boolean, false), waits_on = CASE WHEN j.waits_on = roles THEN j.waits_on ELSE roles END,
        alerts = coalesce((p_view ->> 'alerts')::integer, 0), meetings = coalesce((p_view ->> 'meetings')::integer, 0)
    WHERE j.id = substr(p_stream, 9)::uuid;
    -- Who puts a view holds the head of its stream, so nobody else inserts this row meanwhile.
    IF NOT FOUND THEN
        INSERT INTO journeys (id, person, programme, status, phase, referent, site, seq, next_due, late, summary, money,
                              waits_on, alerts, meetings)
        VALUES (
            substr(p_stream, 9)::uuid, (p_view ->> 'person')::uuid, p_view ->> 'programme', p_view ->> 'status',
            p_view ->> 'phase', (p_view ->> 'referent')::uuid, p_view ->> 'site', (p_view ->> 'seq')::integer,
            (p_view ->> 'next_due')::timestamptz, coalesce((p_view ->> 'late')::integer, 0), p_view,
            coalesce((p_view ->> 'money')::boolean, false), roles, coalesce((p_view ->> 'alerts')::integer, 0),
            coalesce((p_view ->> 'meetings')::integer, 0)
        );
    END IF;
END
$$;
