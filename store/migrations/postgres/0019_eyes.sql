-- Through whose eyes a session looks at an account, until when, and what its browser is recognised by.
-- A session looks through one pair of eyes at a time.
CREATE TABLE eyes (
    session_id UUID NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX eyes_by_member ON eyes (account_id, user_id);
CREATE INDEX eyes_by_end ON eyes (expires_at);
