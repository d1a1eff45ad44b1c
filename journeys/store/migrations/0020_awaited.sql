-- What mentors and partners may still answer is found by the events that ask and settle it, beside 3 million others.

CREATE INDEX events_awaited ON events (stream, seq) WHERE kind IN (
    'MentorProposed', 'MentorMatched', 'MentorDeclined', 'MentorProposalCancelled', 'MentorEnded',
    'ReferralSent', 'ReferralAccepted', 'ReferralDeclined', 'ReferralExpired', 'ReferralCancelled'
);
