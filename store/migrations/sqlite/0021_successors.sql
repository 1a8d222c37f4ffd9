-- Who may take an account over if none of its owners can be reached: one person at most, who is in it.
-- That they ask for it is a change of who owns the account, which waits as many days as were chosen
-- when they were named, and which every owner can stop.
CREATE TABLE successors (
    account_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL,
    named_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    named_at INTEGER NOT NULL,
    wait_days INTEGER NOT NULL DEFAULT 14 CHECK (wait_days BETWEEN 7 AND 60),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX successors_by_namer ON successors (named_by) WHERE named_by IS NOT NULL;

-- How often the owners were reminded that somebody takes the account over. Each time is told once,
-- whichever node does it.
ALTER TABLE owner_changes ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX owner_changes_to_remind_of ON owner_changes (account_id, asked_at)
    WHERE kind = 'taken_over' AND state = 'waiting' AND reminded < 2;
