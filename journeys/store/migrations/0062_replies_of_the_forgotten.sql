-- Whoever is being forgotten may still answer by phone: the answer ends, and changes nothing about them.

ALTER TABLE message_reply_outcomes DROP CONSTRAINT message_reply_outcomes_outcome_check;
ALTER TABLE message_reply_outcomes ADD CONSTRAINT message_reply_outcomes_outcome_check
    CHECK (outcome IN ('taken', 'known', 'refused', 'nobody', 'unread', 'forgotten'));
