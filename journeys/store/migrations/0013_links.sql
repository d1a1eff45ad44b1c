-- One-time links of mentors, partners and participants: what each is bound to, and what came of it. Nothing is rewritten.

CREATE TABLE links (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    journey uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('mentor', 'partner', 'participant')),
    recipient uuid NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('proposal', 'contact', 'referral', 'appointment')),
    subject text NOT NULL,
    language text NOT NULL,
    expires_at timestamptz NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_by uuid REFERENCES staff
);
COMMENT ON TABLE links IS 'Only the SHA-256 of the address is kept; the address carries a signature over this row.';
COMMENT ON COLUMN links.issued_by IS 'The member of staff who made it by hand; null: it left with a message.';
CREATE INDEX links_journey ON links (journey);

CREATE TABLE link_uses (
    link uuid NOT NULL REFERENCES links,
    step text NOT NULL CHECK (step IN ('taken', 'settled', 'revoked')),
    at timestamptz NOT NULL,
    answer jsonb,
    outcome text CHECK (outcome IN ('done', 'refused')),
    CHECK ((step = 'taken') = (answer IS NOT NULL)),
    CHECK ((step = 'settled') = (outcome IS NOT NULL)),
    PRIMARY KEY (link, step)
);
COMMENT ON COLUMN link_uses.answer IS 'The codes that were chosen, never a text: what is sent again is the same.';

GRANT SELECT, INSERT ON links, link_uses TO journeys_writer;
GRANT SELECT (id, journey, role, recipient, purpose, subject, expires_at, issued_at, issued_by) ON links
    TO journeys_web, journeys_reader;
GRANT SELECT ON link_uses TO journeys_web, journeys_reader;

ALTER TABLE links ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON links TO journeys_writer, journeys_reader USING (true) WITH CHECK (true);
CREATE POLICY engine ON link_uses TO journeys_writer, journeys_reader USING (true) WITH CHECK (true);
CREATE POLICY visit ON links FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = links.journey)
);
CREATE POLICY visit ON link_uses FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM links l WHERE l.id = link_uses.link)
);

-- --- the link is the identity: it opens one journey to reading, for as long as it can be used

CREATE FUNCTION link_enter(token bytea, at timestamptz)
RETURNS TABLE (id uuid, journey uuid, role text, recipient uuid, purpose text, subject text, language text,
               expires_at timestamptz, issued_at timestamptz, issued_by uuid,
               taken_at timestamptz, answer jsonb, settled_at timestamptz, outcome text, revoked_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    known links;
    taken link_uses;
    settled link_uses;
    revoked link_uses;
BEGIN
    PERFORM set_config('journeys.staff', '', true), set_config('journeys.reach', '', true),
            set_config('journeys.sites', '', true), set_config('journeys.link', '', true);
    SELECT * INTO known FROM links l WHERE l.hash = token;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO taken FROM link_uses u WHERE u.link = known.id AND u.step = 'taken';
    SELECT * INTO settled FROM link_uses u WHERE u.link = known.id AND u.step = 'settled';
    SELECT * INTO revoked FROM link_uses u WHERE u.link = known.id AND u.step = 'revoked';
    IF settled.link IS NULL AND (taken.link IS NOT NULL OR (revoked.link IS NULL AND at < known.expires_at)) THEN
        PERFORM set_config('journeys.link', known.journey::text, true);
    END IF;
    RETURN QUERY SELECT known.id, known.journey, known.role, known.recipient, known.purpose, known.subject,
                        known.language, known.expires_at, known.issued_at, known.issued_by,
                        taken.at, taken.answer, settled.at, settled.outcome, revoked.at;
END
$$;
REVOKE ALL ON FUNCTION link_enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION link_enter TO journeys_web;

CREATE POLICY link ON journeys FOR SELECT TO journeys_web USING (
    id = (SELECT nullif(current_setting('journeys.link', true), '')::uuid)
);
