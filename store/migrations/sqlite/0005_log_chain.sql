-- The rows of an account's log form a chain: each has a number and a hash that covers the row and
-- the hash before it. Rows from before this migration have neither.
ALTER TABLE activity ADD COLUMN sequence INTEGER;
ALTER TABLE activity ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX activity_by_sequence ON activity (account_id, sequence);

-- From now on no row is without. Postgres has a constraint that spares older rows.
CREATE TRIGGER activity_is_always_linked BEFORE INSERT ON activity
WHEN NEW.sequence IS NULL OR NEW.hash IS NULL
BEGIN
    SELECT RAISE(ABORT, 'a row of the activity log needs its link');
END;

-- The newest row of each account's chain: the next one is linked to it, and it tells when the
-- chain's end was cut off. signed is the last row that a digest covers.
CREATE TABLE activity_heads (
    account_id BLOB NOT NULL PRIMARY KEY REFERENCES accounts (id),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_heads_unsigned ON activity_heads (account_id) WHERE signed < sequence;
INSERT INTO activity_heads (account_id, sequence, hash, signed)
    SELECT id, 0, zeroblob(32), 0 FROM accounts;

-- What the chain was at the end of a day (in days since 1970 UTC), signed.
CREATE TABLE log_digests (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    day INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_digests_by_time ON log_digests (signed_at);

CREATE TRIGGER log_digests_are_never_changed BEFORE UPDATE ON log_digests
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;
CREATE TRIGGER log_digests_are_never_deleted BEFORE DELETE ON log_digests
BEGIN
    SELECT RAISE(ABORT, 'the activity log is append-only');
END;
