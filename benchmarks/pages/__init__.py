"""What a full house costs the pages: time beside an empty page, queries a screen, weight of the first visit."""
