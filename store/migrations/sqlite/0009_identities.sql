-- Signing in with an identity provider (OpenID Connect).

-- Whose login an identity opens. Issuer and subject together are the identity (OpenID Connect Core
-- 1.0 section 5.7); the address is what it was linked by, to be shown.
CREATE TABLE identities (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    since INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (issuer, subject)
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);

-- Browsers on their way to a provider and back. What is secret on that way comes from the token,
-- which the browser alone has.
CREATE TABLE identity_sign_ins (
    token_hash BLOB NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Identities that came back and aren't linked yet: whoever has the token, and signs in to the login
-- with the address, may link it.
CREATE TABLE identity_offers (
    token_hash BLOB NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
