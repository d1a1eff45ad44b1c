-- One letter a day and recipient for alerts that are not urgent; and who is on call, by day and by night.

CREATE TABLE digests (
    recipient text NOT NULL CHECK (recipient <> ''),
    day date NOT NULL,
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried boolean NOT NULL DEFAULT false,
    ended_at timestamptz,
    fate text CHECK (fate IN ('sent', 'refused')),
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (recipient, day),
    CHECK ((ended_at IS NULL) = (fate IS NULL))
);
COMMENT ON TABLE digests IS 'A letter to one recipient with the alerts of a day: written down with its lines before it leaves, and once for a day.';
COMMENT ON COLUMN digests.recipient IS 'A member of staff, or duty for the address of last resort.';
COMMENT ON COLUMN digests.at IS 'The workflow''s time; begun_at is the real one.';
COMMENT ON COLUMN digests.until IS 'When the recipient''s office closes: it does not leave later that day.';
COMMENT ON COLUMN digests.tried IS 'Somebody began to send it: it may have left.';
CREATE UNIQUE INDEX digests_open ON digests (recipient) WHERE ended_at IS NULL;

CREATE TABLE digest_lines (
    stream text NOT NULL,
    effect bigint NOT NULL,
    recipient text NOT NULL,
    day date NOT NULL,
    role text NOT NULL,
    PRIMARY KEY (stream, effect, recipient),
    FOREIGN KEY (recipient, day) REFERENCES digests ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE digest_lines IS 'Which alerts a digest tells: each by its journey and the event that called for the telling. Nothing of a person.';
COMMENT ON COLUMN digest_lines.role IS 'In which the recipient is told.';
CREATE INDEX digest_lines_by_digest ON digest_lines (recipient, day);

CREATE FUNCTION digest_has_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the digest has left: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER left_stays BEFORE UPDATE OR DELETE ON digests FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION digest_has_left();
ALTER TABLE digests ENABLE ALWAYS TRIGGER left_stays;

GRANT SELECT ON digests, digest_lines TO journeys_reader, journeys_writer;
GRANT INSERT, UPDATE, DELETE ON digests TO journeys_writer;
GRANT INSERT ON digest_lines TO journeys_writer;

CREATE TABLE shifts (
    id uuid PRIMARY KEY,
    role text NOT NULL CHECK (role <> ''),
    site text,
    staff uuid REFERENCES staff,
    mentor uuid REFERENCES mentors,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL CHECK (ends > begins),
    sealed bytea CHECK (get_byte(sealed, 0) = 1),
    CHECK (num_nonnulls(staff, mentor) = 1)
);
COMMENT ON TABLE shifts IS 'Who is on call for a role, from when until when; each row follows the stream of the one who is.';
COMMENT ON COLUMN shifts.site IS 'Null: for every site.';
COMMENT ON COLUMN shifts.sealed IS 'A phone that is not their usual one, bound to the row; the id of the key in front.';
CREATE INDEX shifts_by_end ON shifts (ends, begins);

GRANT SELECT ON shifts TO journeys_reader, journeys_writer, journeys_web;
GRANT INSERT, DELETE ON shifts TO journeys_writer;
