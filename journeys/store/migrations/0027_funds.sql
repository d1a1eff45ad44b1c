-- What is owed to a fund in receipts, one row each, in the transaction of the event that says it; what was granted, for
-- the donor's statement; and what each daily control found.

CREATE TABLE receipts (
    id uuid PRIMARY KEY,
    stream text NOT NULL,
    payment uuid NOT NULL,
    grant_id uuid NOT NULL,
    fund text NOT NULL,
    person uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    justified bigint NOT NULL DEFAULT 0 CHECK (justified BETWEEN 0 AND amount),
    due timestamptz NOT NULL,
    submitted bigint,
    submitted_at timestamptz,
    submitted_seq integer,
    settled text CHECK (settled IN ('accepted', 'waived')),
    moved integer NOT NULL
);
COMMENT ON TABLE receipts IS 'A view of the journal. What a settled one lacks to its amount was never justified.';
COMMENT ON COLUMN receipts.submitted IS 'Cents that wait for the answer of finance.';
CREATE INDEX receipts_of_fund ON receipts (fund) WHERE settled IS NULL;
CREATE INDEX receipts_of_stream ON receipts (stream);

CREATE FUNCTION receipt_said(p_stream text, p_row jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_row ->> 'kind' = 'ReceiptDue' THEN
        INSERT INTO receipts (id, stream, payment, grant_id, fund, person, amount, due, moved)
            SELECT (p_row ->> 'id')::uuid, p_stream, p.id, p.grant_id, p.fund, p.person, (p_row ->> 'amount')::bigint,
                   (p_row ->> 'due')::timestamptz, (p_row ->> 'seq')::integer
            FROM payments p WHERE p.id = (p_row ->> 'payment')::uuid;
        RETURN;
    END IF;
    UPDATE receipts r SET
        moved = (p_row ->> 'seq')::integer,
        due = coalesce((p_row ->> 'due')::timestamptz, r.due),
        justified = r.justified + coalesce((p_row ->> 'justifies')::bigint, 0),
        submitted = CASE WHEN p_row ? 'submitted' THEN (p_row ->> 'submitted')::bigint ELSE r.submitted END,
        submitted_at = CASE WHEN p_row ? 'submitted' THEN (p_row ->> 'submitted_at')::timestamptz ELSE r.submitted_at END,
        submitted_seq = CASE WHEN p_row ->> 'submitted' IS NOT NULL THEN (p_row ->> 'seq')::integer ELSE r.submitted_seq END,
        settled = coalesce(p_row ->> 'settled', r.settled)
    WHERE r.id = (p_row ->> 'id')::uuid;
END
$$;

-- What a fund granted is on the journeys, and who approved it: read in their order, and only these kinds.
CREATE INDEX events_of_money ON events (stream, seq) WHERE kind IN (
    'GrantRequested', 'GrantChanged', 'GrantReopened', 'GrantApprovalGiven', 'GrantApproved', 'GrantCompleted', 'GrantEnded',
    'PaymentReserved', 'PaymentSettled', 'PaymentSettledByHand', 'PaymentReturned');

CREATE TABLE controls (
    run text PRIMARY KEY,
    at timestamptz NOT NULL,
    findings jsonb NOT NULL,
    alarms integer NOT NULL CHECK (alarms >= 0)
);
COMMENT ON TABLE controls IS 'What each control of the money found; one row a run, however often its activity was tried.';
CREATE INDEX controls_by_time ON controls (at DESC);

GRANT SELECT ON receipts, controls TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT ON controls TO journeys_writer;
GRANT INSERT, UPDATE, DELETE ON receipts TO journeys_writer;
REVOKE ALL ON FUNCTION receipt_said FROM PUBLIC;
GRANT EXECUTE ON FUNCTION receipt_said TO journeys_writer;

ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON receipts TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
CREATE POLICY visit ON receipts FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = journey_of(stream)) AND ((SELECT my_funds()) = '{}' OR fund = ANY ((SELECT my_funds())::text[]))
);
