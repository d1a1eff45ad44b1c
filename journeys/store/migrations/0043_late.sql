-- What was recorded since some hour is found without reading the whole journal: events lie in the order of their storing,
-- so an index of ranges is enough, and costs an append nothing that could be measured.
CREATE INDEX events_since ON events USING brin (wall) WITH (pages_per_range = 16, autosummarize = on);
