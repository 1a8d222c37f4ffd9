-- Tries at signing in that came to nothing: at one login (an address, normalised) from one client
-- network, or with '*' in place of either at or from all of them. Before next_at no more is heard;
-- at until counting begins anew.
CREATE TABLE guesses (
    login TEXT COLLATE "C" NOT NULL,
    network TEXT COLLATE "C" NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT,
    until BIGINT NOT NULL,
    PRIMARY KEY (login, network)
);

-- The networks that a user signed in from: there, what others try elsewhere holds nobody up.
CREATE TABLE known_networks (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network_hash BYTEA NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, network_hash)
);

-- "I don't know this person." Until it is lifted, the account can't invite that address. The
-- inviter is named, not referred to: the report outlives them.
CREATE TABLE reports (
    id UUID NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    account_id UUID NOT NULL REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    inviter_name TEXT NOT NULL,
    inviter_email TEXT NOT NULL,
    lifted_at BIGINT
);
CREATE UNIQUE INDEX reports_in_force ON reports (account_id, email_key) WHERE lifted_at IS NULL;
