-- The append again, with less work a row: an offer without a view moves only the seq of the row that lists show;
-- and the name of a stream is looked at when it is written, not whenever its
-- head moves (a CHECK of the table is read, compiled and run at every update of the row).

CREATE DOMAIN stream_name AS text
    CHECK (value ~ '^([a-z]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|system)$');
ALTER TABLE streams DROP CONSTRAINT streams_stream_check;
ALTER TABLE streams ALTER COLUMN stream TYPE stream_name;

CREATE FUNCTION view_moved(p_stream text, p_seq integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE journeys j SET seq = p_seq, summary = jsonb_set(j.summary, '{seq}', to_jsonb(p_seq))
    WHERE j.id = substr(p_stream, 9)::uuid;
END
$$;
REVOKE ALL ON FUNCTION view_moved FROM PUBLIC;
GRANT EXECUTE ON FUNCTION view_moved TO journeys_writer;

CREATE OR REPLACE FUNCTION journal_append(
    p_stream text,
    p_expected integer,
    p_kinds text[],
    p_headers bytea[],       -- canonical bytes whose `prev` holds 64 zeros
    p_prev_at integer[],     -- where those zeros begin, counted from 1
    p_part_seqs integer[], p_part_names text[], p_part_texts text[], p_part_salts bytea[],
    p_commands uuid[], p_signed bytea[], p_signatures text[], p_keys text[], p_firsts integer[], p_lasts integer[], p_answers text[],
    p_view jsonb,
    OUT outcome text,        -- 'accepted', 'ahead', 'behind' or 'known'; nothing is written but for 'accepted'
    OUT head integer,
    OUT link bytea           -- hash that the first offered header was linked to
) LANGUAGE plpgsql AS $$
DECLARE
    newest bytea;
    whole bytea;
    offered integer := coalesce(cardinality(p_headers), 0);
BEGIN
    SELECT s.seq, s.hash INTO head, link FROM streams s WHERE s.stream = p_stream FOR UPDATE;
    IF NOT FOUND AND p_expected = 0 THEN
        -- Two first writers meet here: the second waits for the first, then reads its head.
        INSERT INTO streams (stream, seq, hash) VALUES (p_stream, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT s.seq, s.hash INTO head, link FROM streams s WHERE s.stream = p_stream FOR UPDATE;
    END IF;
    head := coalesce(head, 0);
    IF head <> p_expected THEN
        outcome := CASE WHEN head > p_expected THEN 'ahead' ELSE 'behind' END;
        RETURN;
    END IF;
    IF cardinality(p_commands) > 0 THEN
        PERFORM FROM commands c WHERE c.stream = p_stream AND c.id = ANY (p_commands);
        IF FOUND THEN
            outcome := 'known';
            RETURN;
        END IF;
    END IF;

    -- Row by row: nearly every append has one event and one command, so a set would save nothing.
    newest := link;
    FOR i IN 1 .. offered LOOP
        whole := overlay(p_headers[i] PLACING convert_to(encode(newest, 'hex'), 'UTF8') FROM p_prev_at[i]);
        newest := sha256(whole);
        INSERT INTO events (stream, seq, kind, header) VALUES (p_stream, p_expected + i, p_kinds[i], whole);
    END LOOP;
    IF offered > 0 THEN
        UPDATE streams s SET seq = p_expected + offered, hash = newest WHERE s.stream = p_stream;
    END IF;
    FOR i IN 1 .. coalesce(cardinality(p_part_seqs), 0) LOOP
        INSERT INTO parts (stream, seq, name, text, salt)
            VALUES (p_stream, p_part_seqs[i], p_part_names[i], p_part_texts[i], p_part_salts[i]);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(p_commands), 0) LOOP
        INSERT INTO commands (stream, id, signed, signature, key, first, last, answer)
            VALUES (p_stream, p_commands[i], p_signed[i], p_signatures[i], p_keys[i], p_firsts[i], p_lasts[i], p_answers[i]::jsonb);
    END LOOP;
    outcome := 'accepted';
    head := p_expected + offered;
    IF p_view IS NOT NULL THEN
        PERFORM view_put(p_stream, p_view);
    ELSIF offered > 0 AND p_stream LIKE 'journey-%' THEN
        PERFORM view_moved(p_stream, head);
    END IF;
END
$$;
