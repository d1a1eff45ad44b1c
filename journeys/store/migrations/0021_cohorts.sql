-- Cohorts: shared days, places, whoever waits. Each row follows the cohort's own stream, in the same transaction.

CREATE TABLE cohorts (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    programme text NOT NULL,
    places integer NOT NULL CHECK (places > 0),
    taken integer NOT NULL DEFAULT 0,
    waiting integer NOT NULL DEFAULT 0,
    dates jsonb NOT NULL,
    closed boolean NOT NULL DEFAULT false,
    seq integer NOT NULL,
    CHECK (taken BETWEEN 0 AND places)
);
COMMENT ON TABLE cohorts IS 'The row is locked by whoever takes a place, moves a day or closes it, before anything is decided.';
COMMENT ON COLUMN cohorts.dates IS 'The shared dates in their order: [name, day or null].';

CREATE TABLE cohort_places (
    journey uuid PRIMARY KEY,
    cohort uuid NOT NULL REFERENCES cohorts,
    rank integer CHECK (rank > 0),
    since timestamptz NOT NULL,
    UNIQUE (cohort, rank)
);
COMMENT ON COLUMN cohort_places.rank IS 'On the waiting list, 1 for the next; null: it has a place. A journey is in one cohort.';

GRANT SELECT ON cohorts, cohort_places TO journeys_reader, journeys_web;
GRANT SELECT, INSERT, UPDATE ON cohorts TO journeys_writer;
GRANT SELECT, INSERT, DELETE ON cohort_places TO journeys_writer;

-- A cohort names nobody; who is in it is seen by whoever sees their journey.
ALTER TABLE cohort_places ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine ON cohort_places TO journeys_writer, journeys_reader USING (true) WITH CHECK (true);
CREATE POLICY visit ON cohort_places FOR SELECT TO journeys_web USING (
    EXISTS (SELECT FROM journeys j WHERE j.id = cohort_places.journey)
);
