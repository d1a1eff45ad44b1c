-- Body parts are stored sealed: salt and text as one ciphertext under a key that is kept in another database.
-- What was stored before stays readable until `journeys migrate` has sealed it; nothing plain is added any more.

ALTER TABLE parts ADD COLUMN sealed bytea;
ALTER TABLE parts ALTER COLUMN text DROP NOT NULL, ALTER COLUMN salt DROP NOT NULL;
ALTER TABLE parts ADD CONSTRAINT sealed_or_plain CHECK ((sealed IS NULL) = (text IS NOT NULL AND salt IS NOT NULL));
ALTER TABLE parts ADD CONSTRAINT sealed_only CHECK (sealed IS NOT NULL) NOT VALID;
COMMENT ON TABLE parts IS 'What no fold needs, sealed. Rows may be deleted, never changed: the header keeps the commitment. No foreign key: it costs a tenth of an append.';
COMMENT ON COLUMN parts.sealed IS 'Salt (32 bytes) and text, bound to stream, seq and name; the id of the key in front.';
COMMENT ON COLUMN parts.text IS 'Of before the sealing only.';

-- The append as it is by now, but for the parts: whatever else it came to do stays.
DO $$
DECLARE
    before text := pg_get_functiondef('journal_append'::regproc);
    sealed text := replace(replace(before,
        'p_part_texts text[], p_part_salts bytea[]', 'p_part_sealed bytea[]'),
        E'INSERT INTO parts (stream, seq, name, text, salt)\n            VALUES (p_stream, p_part_seqs[i], p_part_names[i], p_part_texts[i], p_part_salts[i])',
        E'INSERT INTO parts (stream, seq, name, sealed)\n            VALUES (p_stream, p_part_seqs[i], p_part_names[i], p_part_sealed[i])');
    money text := replace(replace(pg_get_functiondef('money_append'::regproc),
        'p_part_texts text[], p_part_salts bytea[]', 'p_part_sealed bytea[]'),
        'p_part_texts, p_part_salts', 'p_part_sealed');
BEGIN
    IF sealed ~ 'p_part_(texts|salts)' OR money ~ 'p_part_(texts|salts)' THEN
        RAISE EXCEPTION 'the append is not the one that this migration knows';
    END IF;
    DROP FUNCTION journal_append;
    DROP FUNCTION money_append;
    EXECUTE sealed;
    EXECUTE money;
END
$$;
REVOKE ALL ON FUNCTION journal_append, money_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_append, money_append TO journeys_writer;
