-- What goes to the bank and comes from it is sealed under a key of its year: kept ten years, then the key goes.

ALTER TABLE keys DROP CONSTRAINT keys_kind_check;
ALTER TABLE keys ADD CONSTRAINT keys_kind_check CHECK (kind IN ('person', 'finance', 'bank', 'staff', 'house'));

-- A slip, or a clock that runs ahead somewhere, must not take what accounting keeps.
CREATE FUNCTION bank_years_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.subject::integer + 10 >= extract(year FROM clock_timestamp() AT TIME ZONE 'Europe/Paris') THEN
        RAISE EXCEPTION 'what is kept of the bank stays ten years after the end of its year: %', NEW.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER bank_years_stay BEFORE INSERT OR UPDATE ON keys FOR EACH ROW WHEN (NEW.kind = 'bank' AND NEW.state = 'destroyed')
    EXECUTE FUNCTION bank_years_stay();
ALTER TABLE keys ENABLE ALWAYS TRIGGER bank_years_stay;
