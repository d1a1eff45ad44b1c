-- What was said of people, which each of their journeys has to hear: the fleet's round looks for it.

CREATE INDEX events_to_be_heard ON events (stream, seq) WHERE starts_with(stream, 'person-') AND kind IN ('OptedOut',
    'OptedIn', 'MessagesPaused', 'MessagesResumed', 'WishesRecorded', 'PersonDied', 'ErasureRequested');

-- Receipts that name a message as its channel calls it: whether one arrived later is asked when one comes back.
CREATE INDEX message_receipts_by_reference ON message_receipts (reference) WHERE message IS NULL;
