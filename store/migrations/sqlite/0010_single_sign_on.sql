-- Accounts' own identity providers: the domains that an account has proven to be its own, its
-- provider, and whether everybody with an address of such a domain signs in with it.

-- token is what the domain's TXT record holds. A domain is one account's once that was seen.
CREATE TABLE account_domains (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    domain TEXT NOT NULL,
    token TEXT NOT NULL,
    proven_at INTEGER,
    PRIMARY KEY (account_id, domain)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_domains_proven ON account_domains (domain)
    WHERE proven_at IS NOT NULL;

CREATE TABLE account_providers (
    account_id BLOB NOT NULL PRIMARY KEY REFERENCES accounts (id),
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret TEXT NOT NULL,
    demanded_since INTEGER
) STRICT, WITHOUT ROWID;

-- An identity at an account's provider is another one than at the operator's, also with the same
-- issuer. It ends with the membership, the provider and the domain that it hangs on.
DROP TABLE identity_offers;
DROP TABLE identity_sign_ins;
ALTER TABLE identities RENAME TO identities_before;
DROP INDEX identities_by_user;
CREATE TABLE identities (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id BLOB REFERENCES account_providers (account_id) ON DELETE CASCADE,
    domain TEXT,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    since INTEGER NOT NULL,
    last_used_at INTEGER,
    CHECK ((account_id IS NULL) = (domain IS NULL)),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (account_id, domain)
        REFERENCES account_domains (account_id, domain) ON DELETE CASCADE
) STRICT;
INSERT INTO identities (id, user_id, issuer, subject, email, since, last_used_at)
    SELECT id, user_id, issuer, subject, email, since, last_used_at FROM identities_before;
DROP TABLE identities_before;
CREATE INDEX identities_by_user ON identities (user_id);
CREATE UNIQUE INDEX identities_of_operator ON identities (issuer, subject)
    WHERE account_id IS NULL;
CREATE UNIQUE INDEX identities_of_account ON identities (issuer, subject, account_id);
CREATE INDEX identities_by_domain ON identities (account_id, domain);
CREATE INDEX identities_by_member ON identities (account_id, user_id);

-- Browsers on their way to the operator's provider with this id, or to the account's.
CREATE TABLE identity_sign_ins (
    token_hash BLOB NOT NULL PRIMARY KEY,
    provider TEXT,
    account_id BLOB REFERENCES account_providers (account_id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    CHECK ((account_id IS NULL) <> (provider IS NULL))
) STRICT;
CREATE INDEX identity_sign_ins_by_account ON identity_sign_ins (account_id);

CREATE TABLE identity_offers (
    token_hash BLOB NOT NULL PRIMARY KEY,
    account_id BLOB REFERENCES account_providers (account_id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_offers_by_account ON identity_offers (account_id);

-- identity_id is that of an account's provider which vouched for whoever has the session, at
-- vouched_at. Until they prove by themselves who they are, it opens that account alone. What an
-- identity takes along is locked in this order: sign-ins before sessions, as everywhere.
ALTER TABLE sign_ins ADD COLUMN identity_id BLOB REFERENCES identities (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN identity_id BLOB REFERENCES identities (id) ON DELETE SET NULL;
ALTER TABLE sessions ADD COLUMN proven INTEGER NOT NULL DEFAULT 1 CHECK (proven IN (0, 1));
ALTER TABLE sessions ADD COLUMN vouched_at INTEGER;
CREATE INDEX sessions_by_identity ON sessions (identity_id) WHERE identity_id IS NOT NULL;
CREATE INDEX sign_ins_by_identity ON sign_ins (identity_id) WHERE identity_id IS NOT NULL;

-- bound_domain is that of the address which a member had when they gave it up while single sign-on was
-- required: another address doesn't free them of it.
ALTER TABLE memberships ADD COLUMN bound_domain TEXT;
