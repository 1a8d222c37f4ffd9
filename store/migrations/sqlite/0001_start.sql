-- The whole story, as SQLite tells it. migrations/postgres holds the same tables and columns; a
-- test compares the two. Ids are UUIDs as 16 bytes, times microseconds since 1970 UTC, truths 0
-- or 1. Text compares byte by byte.

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL,
    street TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    town TEXT NOT NULL,
    country TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- name_key is the user's name in lower case, here again so that a sorted page is an index range.
CREATE TABLE memberships (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
    permissions TEXT NOT NULL,
    since INTEGER NOT NULL,
    invited_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    last_active_at INTEGER,
    name_key TEXT NOT NULL,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE INDEX memberships_by_name ON memberships (account_id, name_key, user_id);
CREATE INDEX memberships_by_activity
    ON memberships (account_id, coalesce(last_active_at, -1), user_id);

-- The words that a search finds a user of the account by.
CREATE TABLE membership_words (
    account_id BLOB NOT NULL,
    word TEXT NOT NULL,
    user_id BLOB NOT NULL,
    PRIMARY KEY (account_id, word, user_id),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_words_by_user ON membership_words (account_id, user_id, word);

-- No inviter means the provider, whose word needs no right in the account: so the row of an
-- inviter can't be deleted while their invitations stand here.
CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
    permissions TEXT NOT NULL,
    inviter_id BLOB REFERENCES users (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'cancelled')),
    sent_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    current_token_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX invitations_one_pending
    ON invitations (account_id, email_key) WHERE state = 'pending';
CREATE INDEX invitations_pending ON invitations (account_id, id) WHERE state = 'pending';

-- Every token that was ever sent: an old link can say what happened.
CREATE TABLE invitation_tokens (
    token_hash BLOB NOT NULL PRIMARY KEY,
    invitation_id BLOB NOT NULL REFERENCES invitations (id),
    issued_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE resets (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX resets_by_user ON resets (user_id);

CREATE TABLE attempts (
    key TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;

-- facts is a mail as JSON; it is erased when the mail is out, as the link in it is a key.
CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    facts TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'kept', 'failed')),
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    answer TEXT,
    invitation_id BLOB REFERENCES invitations (id),
    queued_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_kept ON outbox (id) WHERE state = 'kept';
CREATE INDEX outbox_by_invitation ON outbox (invitation_id, id);

-- Users are named, not referred to: the log outlives them.
CREATE TABLE activity (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor_id BLOB,
    actor_name TEXT NOT NULL,
    subject_id BLOB,
    subject_name TEXT NOT NULL,
    before TEXT,
    after TEXT,
    address TEXT NOT NULL,
    person_key TEXT NOT NULL
) STRICT;
CREATE INDEX activity_by_account ON activity (account_id, id);

CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;
CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;

CREATE TABLE services (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    renews_at INTEGER NOT NULL,
    login_name TEXT NOT NULL,
    login_password TEXT NOT NULL
) STRICT;
CREATE INDEX services_by_name ON services (account_id, name, id);

CREATE TABLE domains (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    locked INTEGER NOT NULL CHECK (locked IN (0, 1))
) STRICT;
CREATE INDEX domains_by_name ON domains (account_id, name, id);

CREATE TABLE invoices (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    number TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX invoices_by_time ON invoices (account_id, issued_at, id);

CREATE TABLE support_requests (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    number TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX support_requests_by_time ON support_requests (account_id, updated_at, id);
