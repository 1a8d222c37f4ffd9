-- account_key is the account's name in lower case, A to Z alone, here again so that a page of somebody's
-- accounts is an index range. Whoever writes either holds the account's lock.
ALTER TABLE memberships ADD COLUMN account_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE memberships m SET account_key = lower(a.name) FROM accounts a WHERE a.id = m.account_id;
DROP INDEX memberships_by_user;
CREATE INDEX memberships_by_user ON memberships (user_id, account_key, account_id);
CREATE FUNCTION membership_takes_account_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.account_key := coalesce((SELECT lower(a.name) FROM accounts a WHERE a.id = NEW.account_id), '');
    RETURN NEW;
END
$$;
CREATE TRIGGER memberships_take_account_key BEFORE INSERT ON memberships
    FOR EACH ROW EXECUTE FUNCTION membership_takes_account_key();
CREATE FUNCTION account_hands_key_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE memberships SET account_key = lower(NEW.name) WHERE account_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_hand_key_on AFTER UPDATE OF name ON accounts
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION account_hands_key_on();
