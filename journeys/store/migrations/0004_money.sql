-- Money: funds whose row is locked before it is promised, and a ledger in integer cents.
-- The sign of an entry is its side: more than 0 a debit, less a credit; a transaction's entries add up to 0.

CREATE TABLE funds (
    code text PRIMARY KEY,
    stream text NOT NULL UNIQUE,
    cap_per_person bigint CHECK (cap_per_person >= 0),
    balance bigint NOT NULL CHECK (balance >= 0)
);
COMMENT ON COLUMN funds.balance IS 'Cents neither reserved nor paid: the sum of the ledger account `available` of this fund.';

CREATE TABLE ledger_transactions (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('opened', 'topped-up', 'reserved', 'settled', 'settled-by-hand', 'rejected', 'cancelled', 'returned')),
    fund text NOT NULL REFERENCES funds,
    payment uuid,
    person uuid,
    amount bigint NOT NULL CHECK (amount >= 0),
    stream text NOT NULL,
    seq integer NOT NULL,
    wall timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (stream, seq) REFERENCES events,
    CHECK ((payment IS NULL) = (kind IN ('opened', 'topped-up'))),
    CHECK ((person IS NULL) = (payment IS NULL))
);
CREATE UNIQUE INDEX ledger_reserved_once ON ledger_transactions (payment) WHERE kind = 'reserved';
CREATE UNIQUE INDEX ledger_closed_once ON ledger_transactions (payment)
    WHERE kind IN ('settled', 'settled-by-hand', 'rejected', 'cancelled');
CREATE UNIQUE INDEX ledger_returned_once ON ledger_transactions (payment) WHERE kind = 'returned';
CREATE INDEX ledger_of_stream ON ledger_transactions (stream, seq);

CREATE TABLE ledger_entries (
    transaction bigint NOT NULL REFERENCES ledger_transactions,
    account text NOT NULL CHECK (account IN ('source', 'available', 'reserved', 'paid')),
    fund text NOT NULL REFERENCES funds,
    person uuid,
    cents bigint NOT NULL,
    PRIMARY KEY (transaction, account)
);
CREATE INDEX ledger_of_person ON ledger_entries (fund, person) INCLUDE (account, cents) WHERE person IS NOT NULL;

CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of bigint := CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN (to_jsonb(NEW) ->> 'transaction')::bigint
                                    ELSE (to_jsonb(NEW) ->> 'id')::bigint END;
    lines integer;
    total bigint;
BEGIN
    SELECT count(*), coalesce(sum(cents), 0) INTO lines, total FROM ledger_entries WHERE transaction = of;
    IF lines < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance: % lines, % cents', of, lines, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_transactions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_transactions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_transactions ENABLE ALWAYS TRIGGER balances;
ALTER TABLE ledger_transactions ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger_transactions ENABLE ALWAYS TRIGGER append_only_all;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER balances;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER append_only_all;
