-- The keys of what is sealed: a database of its own, so that its copies can be short-lived while those of the record are kept.

DO $$
BEGIN
    -- Roles belong to the whole cluster: another database may have made it.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'journeys_keys') THEN
        BEGIN
            CREATE ROLE journeys_keys NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'journeys_keys', 'SET') THEN
        GRANT journeys_keys TO CURRENT_USER;
    END IF;
END
$$;

CREATE TABLE keys (
    id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('person', 'finance', 'staff', 'house')),
    subject text NOT NULL,
    wrapped bytea,
    kek text,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'destroyed')),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((state = 'live') = (wrapped IS NOT NULL AND kek IS NOT NULL AND destroyed_at IS NULL)),
    CHECK ((state = 'destroyed') = (wrapped IS NULL AND kek IS NULL AND destroyed_at IS NOT NULL))
);
COMMENT ON TABLE keys IS 'One row a key, for ever: a destroyed one keeps its name, so that none is made in its place.';
COMMENT ON COLUMN keys.wrapped IS 'The 32 bytes, sealed under the key-encryption key that kek names. Nothing here opens anything without that.';
CREATE INDEX keys_of_kek ON keys (kek) WHERE state = 'live';

CREATE TABLE journeys (stream text PRIMARY KEY, person uuid NOT NULL);
COMMENT ON TABLE journeys IS 'Whose a journey is: which key its stream and its workflow are sealed under.';

CREATE FUNCTION keys_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'live' AND (NEW.id, NEW.kind, NEW.subject, NEW.made_at) = (OLD.id, OLD.kind, OLD.subject, OLD.made_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a key is wrapped anew or destroyed, once: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER keys_stay BEFORE UPDATE OR DELETE ON keys FOR EACH ROW EXECUTE FUNCTION keys_stay();
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_stay;

GRANT SELECT, INSERT ON keys, journeys TO journeys_keys;
GRANT UPDATE (wrapped, kek, state, destroyed_at) ON keys TO journeys_keys;
