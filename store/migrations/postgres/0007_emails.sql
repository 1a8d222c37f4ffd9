-- Whether the address of a login is proven, and how it changes.

-- True once whoever has the login has shown that mail to its address reaches them. Logins from
-- before can't be told apart, and count as proven.
ALTER TABLE users ADD COLUMN email_proven BOOLEAN NOT NULL DEFAULT TRUE;

-- Whether the link went by mail and nowhere else: then using it proves the address.
ALTER TABLE resets ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT FALSE;

-- A link that somebody was shown names the one in the mail that it goes with, and proves nothing.
-- Until now both were the same.
ALTER TABLE invitation_tokens ADD COLUMN copy_of BYTEA;
UPDATE invitation_tokens SET copy_of = token_hash;

-- Who takes a changed address back must know which codes were made since then.
ALTER TABLE recovery_codes ADD COLUMN made_at BIGINT NOT NULL DEFAULT 0;

-- A change of a login's address, or the proof of the one that it has (then both are the same). It
-- is asked for until expires_at, by the link to the new address; once done, it can be undone until
-- undo_until, by the link to the old one, and nobody else gets that address meanwhile.
CREATE TABLE email_changes (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_email TEXT NOT NULL,
    old_email_key TEXT COLLATE "C" NOT NULL,
    new_email TEXT NOT NULL,
    new_email_key TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    done_at BIGINT,
    undo_hash BYTEA UNIQUE,
    undo_until BIGINT
);
CREATE INDEX email_changes_by_user ON email_changes (user_id);
CREATE INDEX email_changes_by_old_email ON email_changes (old_email_key, undo_until);
