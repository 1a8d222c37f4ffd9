-- Who opened a support request, said something in one, or stopped a change of who owns an account, by the
-- user's id beside their name: what names somebody who deletes their login is found by it in accounts, too,
-- that they left before, and what names somebody else of the same name isn't. The provider writes names; who
-- is meant is known if just one user of the account is called so at that moment.
ALTER TABLE support_requests ADD COLUMN opened_by_id BLOB REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE support_messages ADD COLUMN author_id BLOB REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE owner_changes ADD COLUMN stopped_by_id BLOB REFERENCES users (id) ON DELETE SET NULL;
CREATE INDEX support_requests_by_opener
    ON support_requests (opened_by_id) WHERE opened_by_id IS NOT NULL;
CREATE INDEX support_messages_by_author ON support_messages (author_id) WHERE author_id IS NOT NULL;
CREATE INDEX owner_changes_by_stopper
    ON owner_changes (stopped_by_id) WHERE stopped_by_id IS NOT NULL;
CREATE INDEX users_by_name ON users (full_name);

CREATE TRIGGER support_requests_know_who_opened_them_when_added AFTER INSERT ON support_requests
BEGIN
    UPDATE support_requests SET opened_by_id =
        (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
         WHERE u.full_name = NEW.opened_by AND m.account_id = NEW.account_id HAVING count(*) = 1)
    WHERE id = NEW.id;
END;
CREATE TRIGGER support_requests_know_who_opened_them AFTER UPDATE
    OF account_id, opened_by ON support_requests
WHEN OLD.account_id <> NEW.account_id OR OLD.opened_by <> NEW.opened_by
BEGIN
    UPDATE support_requests SET opened_by_id =
        (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
         WHERE u.full_name = NEW.opened_by AND m.account_id = NEW.account_id HAVING count(*) = 1)
    WHERE id = NEW.id;
END;
CREATE TRIGGER support_messages_know_who_said_them_when_added AFTER INSERT ON support_messages
WHEN NOT NEW.by_provider
BEGIN
    UPDATE support_messages SET author_id =
        (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
             JOIN support_requests r ON r.account_id = m.account_id
         WHERE u.full_name = NEW.author AND r.id = NEW.request_id HAVING count(*) = 1)
    WHERE id = NEW.id;
END;
CREATE TRIGGER support_messages_know_who_said_them AFTER UPDATE
    OF by_provider, author ON support_messages
WHEN OLD.by_provider <> NEW.by_provider OR OLD.author <> NEW.author
BEGIN
    UPDATE support_messages SET author_id =
        (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
             JOIN support_requests r ON r.account_id = m.account_id
         WHERE NOT NEW.by_provider AND u.full_name = NEW.author AND r.id = NEW.request_id
         HAVING count(*) = 1)
    WHERE id = NEW.id;
END;

-- Of what was written before, as far as it is known.
UPDATE support_requests SET opened_by_id =
    (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
     WHERE u.full_name = support_requests.opened_by
         AND m.account_id = support_requests.account_id HAVING count(*) = 1);
UPDATE support_messages SET author_id =
    (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
         JOIN support_requests r ON r.account_id = m.account_id
     WHERE u.full_name = support_messages.author AND r.id = support_messages.request_id
     HAVING count(*) = 1)
    WHERE NOT by_provider;
UPDATE owner_changes SET stopped_by_id =
    (SELECT max(u.id) FROM users u JOIN memberships m ON m.user_id = u.id
     WHERE u.full_name = owner_changes.stopped_by
         AND m.account_id = owner_changes.account_id HAVING count(*) = 1)
    WHERE stopped_by IS NOT NULL;
