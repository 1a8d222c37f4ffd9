-- The whole story, as Postgres tells it. migrations/sqlite holds the same tables and columns; a
-- test compares the two. Times are microseconds since 1970 UTC. Text that is sorted or compared
-- by range has COLLATE "C": byte by byte, as SQLite does it.

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE accounts (
    id UUID NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    street TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    town TEXT NOT NULL,
    country TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- name_key is the user's name in lower case, here again so that a sorted page is an index range.
CREATE TABLE memberships (
    account_id UUID NOT NULL REFERENCES accounts (id),
    user_id UUID NOT NULL REFERENCES users (id),
    owner BOOLEAN NOT NULL,
    permissions TEXT NOT NULL,
    since BIGINT NOT NULL,
    invited_by UUID REFERENCES users (id) ON DELETE SET NULL,
    last_active_at BIGINT,
    name_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE INDEX memberships_by_name ON memberships (account_id, name_key, user_id);
CREATE INDEX memberships_by_activity
    ON memberships (account_id, coalesce(last_active_at, -1), user_id);

-- The words that a search finds a user of the account by.
CREATE TABLE membership_words (
    account_id UUID NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    PRIMARY KEY (account_id, word, user_id),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX membership_words_by_user ON membership_words (account_id, user_id, word);

-- No inviter means the provider, whose word needs no right in the account: so the row of an
-- inviter can't be deleted while their invitations stand here.
CREATE TABLE invitations (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    owner BOOLEAN NOT NULL,
    permissions TEXT NOT NULL,
    inviter_id UUID REFERENCES users (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'cancelled')),
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    current_token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX invitations_one_pending
    ON invitations (account_id, email_key) WHERE state = 'pending';
CREATE INDEX invitations_pending ON invitations (account_id, id) WHERE state = 'pending';

-- Every token that was ever sent: an old link can say what happened.
CREATE TABLE invitation_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    invitation_id UUID NOT NULL REFERENCES invitations (id),
    issued_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE resets (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX resets_by_user ON resets (user_id);

CREATE TABLE attempts (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- facts is a mail as JSON; it is erased when the mail is out, as the link in it is a key.
CREATE TABLE outbox (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    facts TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'kept', 'failed')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    answer TEXT,
    invitation_id UUID REFERENCES invitations (id),
    queued_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_kept ON outbox (id) WHERE state = 'kept';
CREATE INDEX outbox_by_invitation ON outbox (invitation_id, id);

-- Users are named, not referred to: the log outlives them.
CREATE TABLE activity (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_id UUID,
    actor_name TEXT NOT NULL,
    subject_id UUID,
    subject_name TEXT NOT NULL,
    before TEXT,
    after TEXT,
    address TEXT NOT NULL,
    person_key TEXT COLLATE "C" NOT NULL
);
CREATE INDEX activity_by_account ON activity (account_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the activity log is append-only';
END
$$;
CREATE TRIGGER activity_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON activity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE services (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    renews_at BIGINT NOT NULL,
    login_name TEXT NOT NULL,
    login_password TEXT NOT NULL
);
CREATE INDEX services_by_name ON services (account_id, name, id);

CREATE TABLE domains (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    locked BOOLEAN NOT NULL
);
CREATE INDEX domains_by_name ON domains (account_id, name, id);

CREATE TABLE invoices (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    number TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX invoices_by_time ON invoices (account_id, issued_at, id);

CREATE TABLE support_requests (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    number TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX support_requests_by_time ON support_requests (account_id, updated_at, id);
