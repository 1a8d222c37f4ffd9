-- What an account's owners demand of everybody who enters it. factor_since is when they demanded a
-- second factor, factor_from when entering begins to take it, factor_asked_at when an owner last
-- had people reminded. Sessions are in minutes. domains are those that invitations go to, with a
-- space between them; none means every one.
CREATE TABLE account_policies (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    factor_since BIGINT,
    factor_from BIGINT,
    factor_asked_at BIGINT,
    session_idle BIGINT,
    session_absolute BIGINT,
    domains TEXT NOT NULL,
    CHECK ((factor_since IS NULL) = (factor_from IS NULL))
);
CREATE INDEX account_policies_demanding ON account_policies (account_id)
    WHERE factor_from IS NOT NULL;

-- The newest round of reminders that somebody without a second factor was reached by: each round
-- reaches them once, whichever node sends it.
CREATE TABLE factor_reminders (
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    round BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);

-- When a session last opened an account whose owners bound how long it may be left unused.
CREATE TABLE account_visits (
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    account_id UUID NOT NULL REFERENCES accounts (id),
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, account_id)
);
