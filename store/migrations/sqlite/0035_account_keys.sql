-- account_key is the account's name in lower case, A to Z alone, here again so that a page of somebody's
-- accounts is an index range.
ALTER TABLE memberships ADD COLUMN account_key TEXT NOT NULL DEFAULT '';
UPDATE memberships
    SET account_key = (SELECT lower(a.name) FROM accounts a WHERE a.id = memberships.account_id);
DROP INDEX memberships_by_user;
CREATE INDEX memberships_by_user ON memberships (user_id, account_key, account_id);
CREATE TRIGGER memberships_take_account_key AFTER INSERT ON memberships
BEGIN
    UPDATE memberships
        SET account_key = (SELECT lower(a.name) FROM accounts a WHERE a.id = NEW.account_id)
        WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
END;
CREATE TRIGGER accounts_hand_key_on AFTER UPDATE OF name ON accounts WHEN OLD.name <> NEW.name
BEGIN
    UPDATE memberships SET account_key = lower(NEW.name) WHERE account_id = NEW.id;
END;
