-- How often nobody knew whether a digest left: it is not sent again without end.

ALTER TABLE digests ADD COLUMN doubts smallint NOT NULL DEFAULT 0;
