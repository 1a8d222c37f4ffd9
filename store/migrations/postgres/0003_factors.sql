-- Second factors, the devices that somebody signed in on, and what a session proved. Sessions
-- begin anew: those from before didn't say when their user was last asked who they are.

-- A password shorter than 15 characters can't stand alone.
ALTER TABLE users ADD COLUMN password_short BOOLEAN NOT NULL DEFAULT FALSE;

DROP TABLE sessions;
CREATE TABLE sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    second_factor BOOLEAN NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- The browsers that somebody signed in with, by the hash of a cookie: only another one is news.
CREATE TABLE devices (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_hash BYTEA NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, device_hash)
);

-- secret is the app's key in Base32 (RFC 4648); last_step the newest time step whose code was used
-- (RFC 6238 section 5.2: a code is accepted once).
CREATE TABLE authenticator_apps (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    since BIGINT NOT NULL,
    last_used_at BIGINT
);

-- An authenticator app that is being set up: it counts once a code of it was given.
CREATE TABLE authenticator_setups (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- Sign-ins whose password was right and whose second factor is still to come.
CREATE TABLE sign_ins (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    password_hash TEXT NOT NULL,
    tries BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_user ON sign_ins (user_id);
