-- Which state of the database this is: on SQLite the file beside it knows the stamp, too, so that a
-- copy of another time put in its place is noticed. copied_at is when this copy was made, and NULL
-- where the database is in use.
CREATE TABLE database_stamp (
    stamp BLOB NOT NULL PRIMARY KEY,
    copied_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO database_stamp (stamp) VALUES (randomblob(16));

-- What is written when a reset link is asked for at an address that nobody has: as much as for a
-- login, so that it takes as long. Nothing reads it, and it is deleted when it would have expired.
CREATE TABLE resets_for_nobody (
    token_hash BLOB NOT NULL PRIMARY KEY,
    facts TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX resets_for_nobody_by_end ON resets_for_nobody (expires_at);
