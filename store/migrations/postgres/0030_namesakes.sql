-- Who opened a support request, said something in one, or stopped a change of who owns an account, by the
-- user's id beside their name: what names somebody who deletes their login is found by it in accounts, too,
-- that they left before, and what names somebody else of the same name isn't. The provider writes names; who
-- is meant is known if just one user of the account is called so at that moment.
ALTER TABLE support_requests ADD COLUMN opened_by_id UUID REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE support_messages ADD COLUMN author_id UUID REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE owner_changes ADD COLUMN stopped_by_id UUID REFERENCES users (id) ON DELETE SET NULL;
CREATE INDEX support_requests_by_opener
    ON support_requests (opened_by_id) WHERE opened_by_id IS NOT NULL;
CREATE INDEX support_messages_by_author ON support_messages (author_id) WHERE author_id IS NOT NULL;
CREATE INDEX owner_changes_by_stopper
    ON owner_changes (stopped_by_id) WHERE stopped_by_id IS NOT NULL;
CREATE INDEX users_by_name ON users (full_name);

CREATE FUNCTION only_user_called(account UUID, called TEXT) RETURNS UUID LANGUAGE sql STABLE AS $$
    SELECT (array_agg(u.id))[1] FROM users u JOIN memberships m ON m.user_id = u.id
    WHERE u.full_name = called AND m.account_id = account HAVING count(*) = 1
$$;
CREATE FUNCTION support_request_knows_who_opened_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR OLD.account_id <> NEW.account_id OR OLD.opened_by <> NEW.opened_by THEN
        NEW.opened_by_id := only_user_called(NEW.account_id, NEW.opened_by);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER support_requests_know_who_opened_them
    BEFORE INSERT OR UPDATE OF account_id, opened_by ON support_requests
    FOR EACH ROW EXECUTE FUNCTION support_request_knows_who_opened_it();
CREATE FUNCTION support_message_knows_who_said_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.by_provider THEN
        NEW.author_id := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.by_provider OR OLD.author <> NEW.author THEN
        NEW.author_id := only_user_called(
            (SELECT r.account_id FROM support_requests r WHERE r.id = NEW.request_id), NEW.author);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER support_messages_know_who_said_them
    BEFORE INSERT OR UPDATE OF by_provider, author ON support_messages
    FOR EACH ROW EXECUTE FUNCTION support_message_knows_who_said_it();

-- Of what was written before, as far as it is known; behind the triggers, which wait for those who write.
UPDATE support_requests SET opened_by_id = only_user_called(account_id, opened_by);
UPDATE support_messages SET author_id = only_user_called(r.account_id, author)
    FROM support_requests r WHERE r.id = support_messages.request_id AND NOT by_provider;
UPDATE owner_changes SET stopped_by_id = only_user_called(account_id, stopped_by)
    WHERE stopped_by IS NOT NULL;
