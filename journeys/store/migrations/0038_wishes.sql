-- How people want to be reached first, and a one-time link by which they stop messages or let them begin again.

ALTER TABLE people ADD COLUMN channel text CHECK (channel IN ('mail', 'sms', 'letter'));
COMMENT ON COLUMN people.channel IS 'What they said; null: nothing.';

ALTER TABLE links DROP CONSTRAINT links_purpose_check;
ALTER TABLE links ADD CONSTRAINT links_purpose_check
    CHECK (purpose IN ('proposal', 'contact', 'referral', 'appointment', 'messages'));
