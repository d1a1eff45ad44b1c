-- Which verification was kept last is not for its own time to say: a clock that ran ahead for one night would hide all the
-- nights until then.

ALTER TABLE verifications ADD COLUMN stored bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN verifications.stored IS 'Their order, whatever a clock said; the highest is the last.';
CREATE UNIQUE INDEX verifications_by_storing ON verifications (stored);
GRANT SELECT (stored) ON verifications TO journeys_web;
