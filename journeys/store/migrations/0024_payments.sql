-- Money leaves through one gate: what a reservation is judged by is read under the fund's lock, in one round trip;
-- and the payments as lists show them, one row each, written in the transaction of the event that says it.

ALTER TABLE funds ADD COLUMN stopped boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN funds.stopped IS 'Nothing may be promised from it. On the row that every reservation locks, so that none slips past.';

ALTER TABLE funds ADD COLUMN donor text;
ALTER TABLE funds ADD COLUMN first_day date;
ALTER TABLE funds ADD COLUMN last_day date;
ALTER TABLE funds ADD COLUMN purposes text[] NOT NULL DEFAULT '{}';
ALTER TABLE funds ADD CHECK (first_day <= last_day);
COMMENT ON COLUMN funds.purposes IS 'What its donor gives for; none: everything.';

CREATE TABLE stops (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    began timestamptz NOT NULL,
    began_by uuid NOT NULL,
    why text NOT NULL CHECK (why <> ''),
    ended timestamptz,
    ended_by uuid,
    ended_why text,
    CHECK ((ended IS NULL) = (ended_by IS NULL))
);
COMMENT ON TABLE stops IS 'When all payments were stopped, by whom, why; the one without an end holds now.';
CREATE UNIQUE INDEX stopped_once ON stops ((ended IS NULL)) WHERE ended IS NULL;

ALTER TABLE ledger_transactions DROP CONSTRAINT ledger_transactions_kind_check;
ALTER TABLE ledger_transactions ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN (
    'opened', 'topped-up', 'reserved', 'settled', 'settled-by-hand', 'rejected', 'cancelled', 'returned', 'justified'));
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_account_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_account_check
    CHECK (account IN ('source', 'available', 'reserved', 'paid', 'justified'));
DROP INDEX ledger_of_stream;
CREATE UNIQUE INDEX ledger_once_an_event ON ledger_transactions (stream, seq);
CREATE INDEX ledger_of_payment ON ledger_transactions (payment) WHERE payment IS NOT NULL;

CREATE TABLE payments (
    id uuid PRIMARY KEY,
    stream text NOT NULL,
    seq integer NOT NULL,
    grant_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    fund text NOT NULL,
    person uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    pay_by text NOT NULL,
    payee text,
    reference text NOT NULL UNIQUE,
    status text NOT NULL CHECK (status IN ('reserved', 'instructed', 'accepted', 'unknown', 'settled', 'settled-by-hand', 'rejected',
        'cancelled', 'returned', 'blocked')),
    since timestamptz NOT NULL,
    moved integer NOT NULL,
    reason text,
    doubt text,
    held boolean NOT NULL DEFAULT false,
    replaces uuid,
    replaced boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE payments IS 'A view of the journal: one row a payment. A reserved one is the instruction that is still to be given.';
COMMENT ON COLUMN payments.payee IS 'Commitment of the part that holds name and account; null of a blocked one.';
COMMENT ON COLUMN payments.reference IS 'What travels with the money (end-to-end id): from the payment id alone.';
COMMENT ON COLUMN payments.moved IS 'Seq of the last event about it.';
CREATE INDEX payments_by_status ON payments (status, since);
CREATE INDEX payments_of_fund ON payments (fund, status);
CREATE INDEX payments_of_stream ON payments (stream);

-- Under the funds' locks, by statements of their own: each sees what was committed while the locks were waited for.
CREATE FUNCTION money_lock(p_funds text[], p_persons uuid[], p_payments uuid[], p_approvers uuid[]) RETURNS jsonb
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

-- What an offer says of money, in the order of its events: a ledger transaction, a payment put down, a payment moved on.
CREATE FUNCTION money_book(p_stream text, p_said jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    said jsonb;
    booked bigint;
BEGIN
    FOR said IN SELECT jsonb_array_elements(p_said) LOOP
        IF said ? 'entries' THEN
            INSERT INTO ledger_transactions (kind, fund, payment, person, amount, stream, seq)
                VALUES (said ->> 'move', said ->> 'fund', (said ->> 'payment')::uuid, (said ->> 'person')::uuid,
                        (said ->> 'amount')::bigint, p_stream, (said ->> 'seq')::integer)
                RETURNING id INTO booked;
            INSERT INTO ledger_entries (transaction, account, fund, person, cents)
                SELECT booked, account, said ->> 'fund', (said ->> 'person')::uuid, cents::bigint
                FROM jsonb_each_text(said -> 'entries') AS e (account, cents);
            IF said -> 'entries' ? 'available' THEN
                UPDATE funds SET balance = balance + (said -> 'entries' ->> 'available')::bigint WHERE code = said ->> 'fund';
            END IF;
        END IF;
        PERFORM payment_put(p_stream, said -> 'put') WHERE said ? 'put';
        PERFORM payment_moved(said -> 'moved') WHERE said ? 'moved';
        PERFORM receipt_said(p_stream, said -> 'receipt') WHERE said ? 'receipt';
    END LOOP;
END
$$;

CREATE FUNCTION payment_put(p_stream text, p_row jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, payee, reference, status, since, moved, reason, replaces)
        VALUES ((p_row ->> 'id')::uuid, p_stream, (p_row ->> 'seq')::integer, (p_row ->> 'grant')::uuid, (p_row ->> 'number')::integer,
                p_row ->> 'fund', (p_row ->> 'person')::uuid, (p_row ->> 'amount')::bigint, p_row ->> 'pay_by', p_row ->> 'payee',
                p_row ->> 'reference', p_row ->> 'status', (p_row ->> 'since')::timestamptz, (p_row ->> 'seq')::integer,
                p_row ->> 'reason', (p_row ->> 'replaces')::uuid);
    UPDATE payments SET replaced = true WHERE id = (p_row ->> 'replaces')::uuid;
END
$$;

-- Only what is named changes.
CREATE FUNCTION payment_moved(p_row jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    late boolean;
BEGIN
    -- That it was told to the bank may be recorded after somebody said what came of it.
    SELECT p_row ->> 'status' = 'instructed' AND p.status <> 'reserved' INTO late FROM payments p WHERE p.id = (p_row ->> 'id')::uuid;
    late := coalesce(late, false);
    UPDATE payments p SET
        moved = (p_row ->> 'seq')::integer,
        status = CASE WHEN late THEN p.status ELSE coalesce(p_row ->> 'status', p.status) END,
        since = CASE WHEN p_row ->> 'status' <> p.status AND NOT late THEN (p_row ->> 'since')::timestamptz ELSE p.since END,
        reason = coalesce(p_row ->> 'reason', p.reason),
        doubt = CASE WHEN p_row ? 'doubt' THEN p_row ->> 'doubt' ELSE p.doubt END,
        held = coalesce((p_row ->> 'held')::boolean, p.held),
        replaced = coalesce((p_row ->> 'replaced')::boolean, p.replaced)
    WHERE p.id = (p_row ->> 'id')::uuid;
END
$$;

-- The append, and what it says of money, or nothing of both.
CREATE FUNCTION money_append(
    p_stream text, p_expected integer, p_kinds text[], p_headers bytea[], p_prev_at integer[],
    p_part_seqs integer[], p_part_names text[], p_part_texts text[], p_part_salts bytea[],
    p_commands uuid[], p_signed bytea[], p_signatures text[], p_keys text[], p_firsts integer[], p_lasts integer[], p_answers text[],
    p_view jsonb, p_said jsonb,
    OUT outcome text, OUT head integer, OUT link bytea
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.outcome, a.head, a.link INTO outcome, head, link FROM journal_append(
        p_stream, p_expected, p_kinds, p_headers, p_prev_at, p_part_seqs, p_part_names, p_part_texts, p_part_salts,
        p_commands, p_signed, p_signatures, p_keys, p_firsts, p_lasts, p_answers, p_view) AS a;
    IF outcome = 'accepted' THEN
        PERFORM money_book(p_stream, p_said);
    END IF;
END
$$;

GRANT SELECT ON payments, stops TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, UPDATE ON payments, stops TO journeys_writer;
GRANT DELETE ON payments TO journeys_writer;
REVOKE ALL ON FUNCTION money_lock, money_book, payment_put, payment_moved, money_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION money_lock, money_book, payment_put, payment_moved, money_append TO journeys_writer;

ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON payments TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY visit ON payments FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream)) AND ((SELECT my_funds()) = '{}' OR fund = ANY ((SELECT my_funds())::text[]))
);
