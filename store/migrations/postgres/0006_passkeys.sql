-- Passkeys (Web Authentication Level 3), and what was asked of browsers that are to use or make one.

-- key is the public key with what is known of its authenticator, in JSON; it never changes.
-- counter is the newest signature counter seen; 0 where the authenticator has none.
CREATE TABLE passkeys (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    counter BIGINT NOT NULL,
    since BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- Each is answered once. bound_to is the hash of the session or sign-in that it was asked in, and
-- empty where nobody is known yet.
CREATE TABLE passkey_challenges (
    challenge_hash BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    bound_to BYTEA NOT NULL,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_by_end ON passkey_challenges (expires_at);
