-- The simulated bank: a house of its own beside the journal, so that what it was told can be compared with what was recorded.
-- It holds no name and no account number: of a payee only a digest, to tell another instruction under the same key.

CREATE SCHEMA bank;

CREATE TABLE bank.instructions (
    payment uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    amount bigint NOT NULL CHECK (amount > 0),
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    behaviour text NOT NULL,
    fate text NOT NULL CHECK (fate IN ('accepted', 'settled', 'rejected')),
    enquiries integer NOT NULL DEFAULT 0 CHECK (enquiries >= 0),
    received timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE bank.instructions IS 'The idempotency key is the payment: a second instruction of it finds the first.';
COMMENT ON COLUMN bank.instructions.content IS 'SHA-256 of payment, amount, payee and reference.';

CREATE TABLE bank.movements (
    position bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    payment uuid NOT NULL REFERENCES bank.instructions,
    kind text NOT NULL CHECK (kind IN ('held', 'paid', 'released')),
    debit text NOT NULL CHECK (debit IN ('association', 'transit', 'payee')),
    credit text NOT NULL CHECK (credit IN ('association', 'transit', 'payee')),
    cents bigint NOT NULL CHECK (cents > 0),
    wall timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (debit <> credit)
);
COMMENT ON TABLE bank.movements IS 'Each moves cents from the account credited to the account debited.';
COMMENT ON COLUMN bank.movements.kind IS 'More than one `paid` of a payment is what must never be; nothing here forbids it, so that it can be seen.';
CREATE INDEX movements_of_payment ON bank.movements (payment);

CREATE TABLE bank.knocks (
    payment uuid PRIMARY KEY,
    count integer NOT NULL CHECK (count > 0)
);
COMMENT ON TABLE bank.knocks IS 'Calls that met a closed door (behaviour down): counted by the simulation, not known to the bank.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON bank.movements FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON bank.movements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE bank.movements ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE bank.movements ENABLE ALWAYS TRIGGER append_only_all;

GRANT USAGE ON SCHEMA bank TO journeys_writer, journeys_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA bank TO journeys_writer, journeys_reader;
GRANT INSERT ON ALL TABLES IN SCHEMA bank TO journeys_writer;
GRANT UPDATE ON bank.instructions, bank.knocks TO journeys_writer;
