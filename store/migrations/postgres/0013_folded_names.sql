-- Names and addresses are taken without what nobody sees of them, and found as people type them. SQL
-- can't do that for the rows of earlier versions: what isn't folded is renewed after the migrations.

ALTER TABLE users ADD COLUMN folded BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX users_unfolded ON users (id) WHERE NOT folded;
