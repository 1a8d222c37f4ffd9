-- A user's language as a tag (RFC 5646), and the one that a mail is written in; none is the
-- provider's.
ALTER TABLE users ADD COLUMN language TEXT;
ALTER TABLE outbox ADD COLUMN language TEXT;

-- What readers said of a guide. Nobody is named: it is about the guide.
CREATE TABLE feedback (
    id UUID NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    guide TEXT NOT NULL,
    helped BOOLEAN NOT NULL,
    comment TEXT NOT NULL,
    language TEXT NOT NULL
);
