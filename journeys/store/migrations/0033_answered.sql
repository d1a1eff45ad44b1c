-- Whoever waits for the answer of a command hears that it is stored, in the moment in which that is durable.

CREATE FUNCTION tell_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('answered', NEW.id::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tell_answered() IS 'Tells the id only: what was answered is read by those who may read it.';

CREATE TRIGGER told AFTER INSERT ON commands FOR EACH ROW EXECUTE FUNCTION tell_answered();
