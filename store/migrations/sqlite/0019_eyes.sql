-- Through whose eyes a session looks at an account, until when, and what its browser is recognised by.
-- A session looks through one pair of eyes at a time.
CREATE TABLE eyes (
    session_id BLOB NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX eyes_by_member ON eyes (account_id, user_id);
CREATE INDEX eyes_by_end ON eyes (expires_at);
