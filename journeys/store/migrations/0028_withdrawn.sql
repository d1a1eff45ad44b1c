-- A batch that nobody has yet may be withdrawn: its bytes are never given out, its payments wait again. What a provider says against what is known is
-- resolved as a line of the bank is.

CREATE TABLE batch_withdrawals (
    batch uuid PRIMARY KEY REFERENCES batches,
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text NOT NULL,
    seq integer NOT NULL
);
COMMENT ON COLUMN batch_withdrawals.seq IS 'Of its fact in the stream `system`; why is a part of it.';

CREATE TABLE batch_transfers_withdrawn (
    payment uuid NOT NULL,
    batch uuid NOT NULL REFERENCES batch_withdrawals,
    PRIMARY KEY (payment, batch)
);
COMMENT ON TABLE batch_transfers_withdrawn IS 'What was in a batch when it was withdrawn.';

-- A payment leaves its batch only with the whole batch.
CREATE FUNCTION only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM batch_withdrawals WHERE batch = OLD.batch) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TRIGGER append_only ON batch_transfers;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON batch_transfers FOR EACH ROW EXECUTE FUNCTION only_withdrawn();
ALTER TABLE batch_transfers ENABLE ALWAYS TRIGGER append_only;
GRANT DELETE ON batch_transfers TO journeys_writer;

ALTER TABLE bank_resolutions DROP CONSTRAINT bank_resolutions_how_check;
ALTER TABLE bank_resolutions ADD CONSTRAINT bank_resolutions_how_check CHECK (how IN ('match', 'not-ours', 'refund', 'fee', 'noted'));

COMMENT ON COLUMN bank_lines.code IS 'Status of an answer; of a booking, by which code the bank books its own charge: both as the bank wrote it.';

CREATE TABLE provider_resolutions (
    event text PRIMARY KEY REFERENCES provider_outcomes,
    how text NOT NULL CHECK (how IN ('not-ours', 'refund', 'noted')),
    resolved_at timestamptz NOT NULL,
    resolved_by text NOT NULL,
    seq integer NOT NULL
);
COMMENT ON COLUMN provider_resolutions.seq IS 'Of its fact in the stream `system`; why is a part of it.';

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['batch_withdrawals', 'batch_transfers_withdrawn', 'provider_resolutions'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', each);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_all', each);
        EXECUTE format('GRANT SELECT ON %I TO journeys_reader', each);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO journeys_writer', each);
    END LOOP;
    -- Whoever answers for the whole account sees it, as with the lines of the bank.
    FOREACH each IN ARRAY ARRAY['batch_withdrawals', 'batch_transfers_withdrawn', 'provider_notices', 'provider_outcomes', 'provider_resolutions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', each);
        EXECUTE format('CREATE POLICY engine ON %I TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true)', each);
        EXECUTE format('CREATE POLICY visit ON %I FOR SELECT TO journeys_web USING ('
                       '(SELECT reach_has(''all'')) OR ((SELECT reach_has(''money'')) AND (SELECT my_funds()) = ''{}''))', each);
        EXECUTE format('GRANT SELECT ON %I TO journeys_web', each);
    END LOOP;
END
$$;

-- As before; and why a payment was held is said no longer once it goes out.
CREATE OR REPLACE FUNCTION payment_moved(p_row jsonb) RETURNS void LANGUAGE plpgsql AS $$
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
        reason = CASE WHEN p_row ? 'reason' AND NOT late THEN p_row ->> 'reason' ELSE p.reason END,
        doubt = CASE WHEN p_row ? 'doubt' THEN p_row ->> 'doubt' ELSE p.doubt END,
        held = coalesce((p_row ->> 'held')::boolean, p.held),
        replaced = coalesce((p_row ->> 'replaced')::boolean, p.replaced)
    WHERE p.id = (p_row ->> 'id')::uuid;
END
$$;
