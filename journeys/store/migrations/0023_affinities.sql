-- By what mentors and partners are proposed: where, languages, interests, purposes, places. Lists are words with commas.

ALTER TABLE people ADD COLUMN place text, ADD COLUMN languages text, ADD COLUMN interests text;
ALTER TABLE mentors ADD COLUMN place text, ADD COLUMN languages text, ADD COLUMN interests text;
ALTER TABLE partners ADD COLUMN place text, ADD COLUMN purposes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN places integer CHECK (places >= 0);
