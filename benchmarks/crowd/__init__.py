"""A crowd: thousands of open journeys with millions of events, for what must be measured on a full house."""
