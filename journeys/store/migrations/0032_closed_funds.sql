-- A fund that is closed: nothing is promised from it any more; what was paid from it is still justified, or comes back.

ALTER TABLE funds ADD COLUMN closed_at timestamptz;
COMMENT ON COLUMN funds.closed_at IS 'Nothing may be promised from it since. On the row that every reservation locks, so that none slips past.';

-- As in 0024, and whether the fund is closed.
CREATE OR REPLACE FUNCTION money_lock(p_funds text[], p_persons uuid[], p_payments uuid[], p_approvers uuid[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    codes text[] := p_funds;
    promised jsonb := '[]';
    justified jsonb := '{}';
    known jsonb := '{}';
    committed jsonb := '[]';
    found jsonb;
BEGIN
    IF cardinality(p_payments) > 0 THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('payment', t.payment, 'fund', t.fund, 'person', t.person, 'amount', t.amount)), '[]')
            INTO promised FROM ledger_transactions t WHERE t.kind = 'reserved' AND t.payment = ANY (p_payments);
        SELECT array_agg(DISTINCT code) INTO codes FROM (
            SELECT unnest(p_funds) AS code UNION SELECT each ->> 'fund' FROM jsonb_array_elements(promised) AS each) AS named;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('code', f.code, 'available', f.balance, 'cap_per_person', f.cap_per_person, 'stopped', f.stopped,
            'closed', f.closed_at IS NOT NULL,
            'first_day', f.first_day, 'last_day', f.last_day, 'purposes', f.purposes))
        INTO found FROM (SELECT * FROM funds WHERE code = ANY (codes) ORDER BY code FOR UPDATE) AS f;
    IF cardinality(p_payments) > 0 THEN
        SELECT coalesce(jsonb_object_agg(t.payment, t.cents), '{}') INTO justified FROM (
            SELECT payment, sum(amount) AS cents FROM ledger_transactions
            WHERE kind = 'justified' AND payment = ANY (p_payments) GROUP BY payment) AS t;
    END IF;
    IF cardinality(p_approvers) > 0 THEN
        SELECT coalesce(jsonb_object_agg(s.id, jsonb_build_object('active', s.active, 'roles', s.roles, 'funds', s.funds)), '{}') INTO known
            FROM (SELECT * FROM staff WHERE id = ANY (p_approvers) ORDER BY id FOR SHARE) AS s;
    END IF;
    IF cardinality(p_persons) > 0 THEN
        SELECT coalesce(jsonb_agg(jsonb_build_object('fund', c.fund, 'person', c.person, 'cents', c.cents)), '[]') INTO committed FROM (
            SELECT fund, person, sum(cents) AS cents FROM ledger_entries
            WHERE fund = ANY (codes) AND person = ANY (p_persons) AND account IN ('reserved', 'paid', 'justified')
            GROUP BY fund, person) AS c;
    END IF;
    RETURN jsonb_build_object('promised', promised, 'funds', coalesce(found, '[]'), 'justified', justified, 'staff', known, 'committed', committed);
END
$$;
