-- Second factors, the devices that somebody signed in on, and what a session proved. Sessions
-- begin anew: those from before didn't say when their user was last asked who they are.

-- A password shorter than 15 characters can't stand alone.
ALTER TABLE users ADD COLUMN password_short INTEGER NOT NULL DEFAULT 0
    CHECK (password_short IN (0, 1));

DROP TABLE sessions;
CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- The browsers that somebody signed in with, by the hash of a cookie: only another one is news.
CREATE TABLE devices (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_hash BLOB NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_hash)
) STRICT, WITHOUT ROWID;

-- secret is the app's key in Base32 (RFC 4648); last_step the newest time step whose code was used
-- (RFC 6238 section 5.2: a code is accepted once).
CREATE TABLE authenticator_apps (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    last_step INTEGER NOT NULL,
    since INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

-- An authenticator app that is being set up: it counts once a code of it was given.
CREATE TABLE authenticator_setups (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Sign-ins whose password was right and whose second factor is still to come.
CREATE TABLE sign_ins (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    password_hash TEXT NOT NULL,
    tries INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_user ON sign_ins (user_id);
