-- Webhooks: addresses of the provider's own programs, which are told of events. `kinds` are the ids of
-- the kinds that an endpoint is told of, set apart by spaces, or `all`. After a secret was replaced, what
-- is sent is signed with the old one too, until `old_secret_until`. An endpoint that is off is sent
-- nothing; what it would be told of is held for it.
CREATE TABLE webhook_endpoints (
    id BLOB NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until INTEGER,
    made_at INTEGER NOT NULL,
    off_since INTEGER,
    off_why TEXT
) STRICT, WITHOUT ROWID;

-- What is told in order: the events of one account, or of one login. `place` is that of the newest:
-- about the microsecond in which it happened.
CREATE TABLE webhook_lines (
    line BLOB NOT NULL PRIMARY KEY,
    place INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Written in the transaction that does what it tells. An event outlives what it is about.
CREATE TABLE webhook_events (
    id BLOB NOT NULL PRIMARY KEY,
    line BLOB NOT NULL,
    kind TEXT NOT NULL,
    facts TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_events_by_time ON webhook_events (at);

-- An event on its way to an endpoint. It has its event's line and place. `tried_since` is when it was
-- first tried, `status` and `answer` are what the last try came to.
CREATE TABLE webhook_deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    event_id BLOB NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
    endpoint_id BLOB NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    line BLOB NOT NULL,
    place INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tried_since INTEGER,
    status INTEGER,
    answer TEXT,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_in_line
    ON webhook_deliveries (endpoint_id, line, place) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, state);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);

-- Whether it was noted that an invitation ran out. Of those that did before there were webhooks, nobody
-- is told.
ALTER TABLE invitations ADD COLUMN expiry_noted INTEGER NOT NULL DEFAULT 0 CHECK (expiry_noted IN (0, 1));
UPDATE invitations SET expiry_noted = TRUE
WHERE state = 'pending' AND expires_at <= unixepoch('now') * 1000000;
CREATE INDEX invitations_expiring
    ON invitations (expires_at) WHERE state = 'pending' AND NOT expiry_noted;
