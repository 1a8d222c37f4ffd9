-- People who come along: the provider's own ids of an account's users, the order in which they changed, and
-- those who wait for their first sign-in.

-- Unique in the account, also against invitations: whoever gives one holds the account's lock.
ALTER TABLE memberships ADD COLUMN ref TEXT;
CREATE UNIQUE INDEX memberships_by_ref ON memberships (account_id, ref);

-- Who waits is offered something on the provider's word that no mail told them of. It has no end, and
-- `expires_at` is when it was offered, so that nobody takes it for an invitation by mail. Nobody has the
-- token of `current_token_hash` until they ask for a link. `full_name` is what the provider calls them.
ALTER TABLE invitations ADD COLUMN waits INTEGER NOT NULL DEFAULT 0 CHECK (waits IN (0, 1));
ALTER TABLE invitations ADD COLUMN ref TEXT;
ALTER TABLE invitations ADD COLUMN full_name TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX invitations_by_ref ON invitations (account_id, ref) WHERE state = 'pending';

-- Until when the link of somebody who waits works. Others work as long as their invitation can be accepted.
ALTER TABLE invitation_tokens ADD COLUMN expires_at INTEGER;

-- A membership changes with what is told of it: with its grants, what those reach, and the name and the
-- address of its user.
ALTER TABLE memberships ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE memberships SET changed = (SELECT last FROM changes);
CREATE INDEX memberships_by_change ON memberships (account_id, changed, user_id);
CREATE TRIGGER memberships_are_stamped_when_added AFTER INSERT ON memberships
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE memberships SET changed = (SELECT last FROM changes)
        WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
END;
CREATE TRIGGER memberships_are_stamped AFTER UPDATE
    OF ref, owner, since, paused_at, keys ON memberships
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE memberships SET changed = (SELECT last FROM changes)
        WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
END;
-- What grants open is in `keys`.
CREATE TRIGGER grants_touch_memberships AFTER UPDATE OF why, given_by, given_at ON grants
BEGIN
    UPDATE memberships SET ref = ref
        WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
END;
CREATE TRIGGER grant_services_touch_when_added AFTER INSERT ON grant_services
BEGIN
    UPDATE memberships SET ref = ref WHERE (account_id, user_id) IN
        (SELECT g.account_id, g.user_id FROM grants g WHERE g.id = NEW.grant_id);
END;
CREATE TRIGGER grant_services_touch_when_gone AFTER DELETE ON grant_services
BEGIN
    UPDATE memberships SET ref = ref WHERE (account_id, user_id) IN
        (SELECT g.account_id, g.user_id FROM grants g WHERE g.id = OLD.grant_id);
END;
CREATE TRIGGER grant_domains_touch_when_added AFTER INSERT ON grant_domains
BEGIN
    UPDATE memberships SET ref = ref WHERE (account_id, user_id) IN
        (SELECT g.account_id, g.user_id FROM grants g WHERE g.id = NEW.grant_id);
END;
CREATE TRIGGER grant_domains_touch_when_gone AFTER DELETE ON grant_domains
BEGIN
    UPDATE memberships SET ref = ref WHERE (account_id, user_id) IN
        (SELECT g.account_id, g.user_id FROM grants g WHERE g.id = OLD.grant_id);
END;
CREATE TRIGGER users_touch_memberships AFTER UPDATE OF email, full_name ON users
WHEN OLD.email <> NEW.email OR OLD.full_name <> NEW.full_name
BEGIN
    UPDATE memberships SET ref = ref WHERE user_id = NEW.id;
END;

-- Who waits stands in the same order.
ALTER TABLE invitations ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX invitations_waiting_by_change ON invitations (account_id, changed, id)
    WHERE state = 'pending' AND waits;
CREATE TRIGGER invitations_are_stamped AFTER UPDATE
    OF email, owner, permissions, all_services, all_domains, until, why, waits, ref, full_name
    ON invitations
WHEN NEW.waits
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE invitations SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER invitations_are_stamped_when_added AFTER INSERT ON invitations
WHEN NEW.waits
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE invitations SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER invitation_services_touch_when_added AFTER INSERT ON invitation_services
BEGIN
    UPDATE invitations SET ref = ref
        WHERE id = NEW.invitation_id AND state = 'pending' AND waits;
END;
CREATE TRIGGER invitation_services_touch_when_gone AFTER DELETE ON invitation_services
BEGIN
    UPDATE invitations SET ref = ref
        WHERE id = OLD.invitation_id AND state = 'pending' AND waits;
END;
CREATE TRIGGER invitation_domains_touch_when_added AFTER INSERT ON invitation_domains
BEGIN
    UPDATE invitations SET ref = ref
        WHERE id = NEW.invitation_id AND state = 'pending' AND waits;
END;
CREATE TRIGGER invitation_domains_touch_when_gone AFTER DELETE ON invitation_domains
BEGIN
    UPDATE invitations SET ref = ref
        WHERE id = OLD.invitation_id AND state = 'pending' AND waits;
END;
