-- What goes to the bank and comes from it is sealed under a key of its year: kept ten years, then the key goes.

ALTER TABLE keys DROP CONSTRAINT keys_kind_check;
ALTER TABLE keys ADD CONSTRAINT keys_kind_check CHECK (kind IN ('person', 'finance', 'bank', 'staff', 'house'));
