-- The seq of a row stands in its column alone. An append that changes nothing else of what lists show leaves the
-- summary as it lies: it was written anew, with all that is derived from it, for one number in it.

UPDATE journeys SET summary = summary - 'seq' WHERE summary ? 'seq';

CREATE OR REPLACE FUNCTION view_moved(p_stream text, p_seq integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE journeys j SET seq = p_seq WHERE j.id = substr(p_stream, 9)::uuid;
END
$$;

CREATE OR REPLACE FUNCTION view_put(p_stream text, p_view jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    roles text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(p_view -> 'waits_on', '[]')));
    shown jsonb := p_view - 'seq';
BEGIN
    UPDATE journeys j SET
        person = (p_view ->> 'person')::uuid, programme = p_view ->> 'programme', status = p_view ->> 'status',
        phase = p_view ->> 'phase', referent = (p_view ->> 'referent')::uuid, site = p_view ->> 'site',
        seq = (p_view ->> 'seq')::integer, next_due = (p_view ->> 'next_due')::timestamptz,
        late = coalesce((p_view ->> 'late')::integer, 0), summary = shown,
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
            (p_view ->> 'next_due')::timestamptz, coalesce((p_view ->> 'late')::integer, 0), shown,
            coalesce((p_view ->> 'money')::boolean, false), roles, coalesce((p_view ->> 'alerts')::integer, 0),
            coalesce((p_view ->> 'meetings')::integer, 0)
        );
    END IF;
END
$$;
