-- Webhooks: addresses of the provider's own programs, which are told of events. `kinds` are the ids of
-- the kinds that an endpoint is told of, set apart by spaces, or `all`. After a secret was replaced, what
-- is sent is signed with the old one too, until `old_secret_until`. An endpoint that is off is sent
-- nothing; what it would be told of is held for it.
CREATE TABLE webhook_endpoints (
    id UUID NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until BIGINT,
    made_at BIGINT NOT NULL,
    off_since BIGINT,
    off_why TEXT
);

-- What is told in order: the events of one account, or of one login. `place` is that of the newest:
-- about the microsecond in which it happened.
CREATE TABLE webhook_lines (
    line UUID NOT NULL PRIMARY KEY,
    place BIGINT NOT NULL
);

-- Written in the transaction that does what it tells. An event outlives what it is about.
CREATE TABLE webhook_events (
    id UUID NOT NULL PRIMARY KEY,
    line UUID NOT NULL,
    kind TEXT NOT NULL,
    facts TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX webhook_events_by_time ON webhook_events (at);

-- An event on its way to an endpoint. It has its event's line and place. `tried_since` is when it was
-- first tried, `status` and `answer` are what the last try came to.
CREATE TABLE webhook_deliveries (
    id UUID NOT NULL PRIMARY KEY,
    event_id UUID NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    line UUID NOT NULL,
    place BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'delivered', 'given_up')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tried_since BIGINT,
    status BIGINT,
    answer TEXT,
    ended_at BIGINT
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_in_line
    ON webhook_deliveries (endpoint_id, line, place) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, state);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);

-- Whether it was noted that an invitation ran out. Of those that did before there were webhooks, nobody
-- is told.
ALTER TABLE invitations ADD COLUMN expiry_noted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE invitations SET expiry_noted = TRUE
WHERE state = 'pending' AND expires_at <= CAST(extract(epoch FROM now()) * 1000000 AS BIGINT);
CREATE INDEX invitations_expiring
    ON invitations (expires_at) WHERE state = 'pending' AND NOT expiry_noted;
