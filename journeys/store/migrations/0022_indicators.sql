-- What each journey's record answers to the indicators: counted from its events after the fact, and again whenever they grow.

CREATE TABLE counted (
    journey uuid PRIMARY KEY,
    seq integer NOT NULL CHECK (seq > 0),
    version integer NOT NULL,
    begun date,
    answers jsonb NOT NULL
);
COMMENT ON TABLE counted IS 'May be emptied at will: it is counted anew from the journal.';
COMMENT ON COLUMN counted.seq IS 'The last event that was looked at; the row of the lists says whether there are later ones.';
COMMENT ON COLUMN counted.version IS 'Of the definitions: answers to those of before are counted anew.';
COMMENT ON COLUMN counted.begun IS 'The day of the release, or of what stands for it; null while it has not happened.';
COMMENT ON COLUMN counted.answers IS 'code, the day from which it counts, how many are so, are not, are not known.';

GRANT SELECT, INSERT, UPDATE ON counted TO journeys_writer;
GRANT SELECT ON counted TO journeys_reader, journeys_web;

ALTER TABLE counted ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON counted TO journeys_writer, journeys_reader, journeys_retention USING (true) WITH CHECK (true);
-- Asked of all at once, and then looked up: a table of figures reads every journey that the visitor may see.
CREATE POLICY visit ON counted FOR SELECT TO journeys_web USING (journey IN (SELECT j.id FROM journeys j));
