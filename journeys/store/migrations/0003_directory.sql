-- Who there is: people, staff, mentors, partners. Each row follows its own stream, in the same transaction.

CREATE TABLE people (
    id uuid PRIMARY KEY,
    reference text UNIQUE,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date,
    search_name text NOT NULL,
    email text,
    phone text,
    language text NOT NULL DEFAULT 'fr',
    zone text NOT NULL DEFAULT 'Europe/Paris',
    opted_out boolean NOT NULL DEFAULT false,
    paused_until timestamptz,
    died_on date,
    died boolean NOT NULL DEFAULT false,
    erasure_requested boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN people.search_name IS 'Last and first name without case, accents or punctuation, made in Python.';
CREATE INDEX people_search_name ON people (search_name text_pattern_ops);
CREATE INDEX people_birth_date ON people (birth_date);

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    handle text NOT NULL UNIQUE,
    name text NOT NULL,
    email text,
    phone text,
    language text NOT NULL DEFAULT 'fr',
    roles text[] NOT NULL DEFAULT '{}',
    sites text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true
);

CREATE TABLE absences (
    staff uuid NOT NULL REFERENCES staff,
    first_day date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= first_day),
    deputy uuid REFERENCES staff CHECK (deputy <> staff),
    PRIMARY KEY (staff, first_day)
);

CREATE TABLE mentors (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text,
    phone text,
    language text NOT NULL DEFAULT 'fr',
    site text,
    capacity integer NOT NULL CHECK (capacity >= 0),
    available boolean NOT NULL DEFAULT true
);

CREATE TABLE partners (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    email text,
    phone text,
    language text NOT NULL DEFAULT 'fr',
    site text,
    active boolean NOT NULL DEFAULT true
);
