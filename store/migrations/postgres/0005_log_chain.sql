-- The rows of an account's log form a chain: each has a number and a hash that covers the row and
-- the hash before it. Rows from before this migration have neither.
ALTER TABLE activity ADD COLUMN sequence BIGINT;
ALTER TABLE activity ADD COLUMN hash BYTEA;
CREATE UNIQUE INDEX activity_by_sequence ON activity (account_id, sequence);

-- From now on no row is without. NOT VALID spares older rows; SQLite has a trigger.
ALTER TABLE activity ADD CONSTRAINT activity_is_always_linked
    CHECK (sequence IS NOT NULL AND hash IS NOT NULL) NOT VALID;

-- The newest row of each account's chain: the next one is linked to it, and it tells when the
-- chain's end was cut off. signed is the last row that a digest covers.
CREATE TABLE activity_heads (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    signed BIGINT NOT NULL
);
CREATE INDEX activity_heads_unsigned ON activity_heads (account_id) WHERE signed < sequence;
INSERT INTO activity_heads (account_id, sequence, hash, signed)
    SELECT id, 0, decode(repeat('00', 32), 'hex'), 0 FROM accounts;

-- What the chain was at the end of a day (in days since 1970 UTC), signed.
CREATE TABLE log_digests (
    account_id UUID NOT NULL REFERENCES accounts (id),
    day BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    signed_at BIGINT NOT NULL,
    public_key BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (account_id, day)
);
CREATE INDEX log_digests_by_time ON log_digests (signed_at);

CREATE TRIGGER log_digests_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON log_digests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
