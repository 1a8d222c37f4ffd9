-- People who come along: the provider's own ids of an account's users, the order in which they changed, and
-- those who wait for their first sign-in.

-- Unique in the account, also against invitations: whoever gives one holds the account's lock.
ALTER TABLE memberships ADD COLUMN ref TEXT COLLATE "C";
CREATE UNIQUE INDEX memberships_by_ref ON memberships (account_id, ref);

-- Who waits is offered something on the provider's word that no mail told them of. It has no end, and
-- `expires_at` is when it was offered, so that nobody takes it for an invitation by mail. Nobody has the
-- token of `current_token_hash` until they ask for a link. `full_name` is what the provider calls them.
ALTER TABLE invitations ADD COLUMN waits BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE invitations ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE invitations ADD COLUMN full_name TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX invitations_by_ref ON invitations (account_id, ref) WHERE state = 'pending';

-- Until when the link of somebody who waits works. Others work as long as their invitation can be accepted.
ALTER TABLE invitation_tokens ADD COLUMN expires_at BIGINT;

-- The number of what a transaction changes, the same for all of it.
CREATE FUNCTION number_of_change() RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    number BIGINT := nullif(current_setting('latchkey.change', TRUE), '')::BIGINT;
BEGIN
    IF number IS NULL THEN
        -- The last lock that a transaction takes.
        UPDATE changes
            SET last = greatest(last + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT)
            RETURNING last INTO number;
        PERFORM set_config('latchkey.change', number::TEXT, TRUE);
    END IF;
    RETURN number;
END
$$;
CREATE OR REPLACE FUNCTION stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I SET changed = $1 WHERE id = $2', TG_TABLE_NAME)
        USING number_of_change(), NEW.id;
    RETURN NULL;
END
$$;

-- A membership changes with what is told of it: with its grants, what those reach, and the name and the
-- address of its user. What these touch is locked by then: a transaction that commits waits for nobody who
-- waits for its number.
ALTER TABLE memberships ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE memberships SET changed = (SELECT last FROM changes);
CREATE INDEX memberships_by_change ON memberships (account_id, changed, user_id);
CREATE FUNCTION stamp_membership() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number BIGINT := number_of_change();
BEGIN
    UPDATE memberships SET changed = number
    WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER memberships_are_stamped
    AFTER INSERT OR UPDATE OF ref, owner, since, paused_at, keys
    ON memberships DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_membership();
-- What grants open is in `keys`.
CREATE FUNCTION grant_touches_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE memberships SET ref = ref
    WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER grants_touch_memberships AFTER UPDATE OF why, given_by, given_at ON grants
    FOR EACH ROW EXECUTE FUNCTION grant_touches_membership();
CREATE FUNCTION reach_touches_membership() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reaching UUID;
BEGIN
    IF TG_OP = 'DELETE' THEN
        reaching := OLD.grant_id;
    ELSE
        reaching := NEW.grant_id;
    END IF;
    UPDATE memberships SET ref = ref WHERE (account_id, user_id) IN
        (SELECT g.account_id, g.user_id FROM grants g WHERE g.id = reaching);
    RETURN NULL;
END
$$;
CREATE TRIGGER grant_services_touch AFTER INSERT OR DELETE ON grant_services
    FOR EACH ROW EXECUTE FUNCTION reach_touches_membership();
CREATE TRIGGER grant_domains_touch AFTER INSERT OR DELETE ON grant_domains
    FOR EACH ROW EXECUTE FUNCTION reach_touches_membership();
CREATE FUNCTION user_touches_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE memberships SET ref = ref WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_touch_memberships AFTER UPDATE OF email, full_name ON users
    FOR EACH ROW WHEN (OLD.email <> NEW.email OR OLD.full_name <> NEW.full_name)
    EXECUTE FUNCTION user_touches_memberships();

-- Who waits stands in the same order.
ALTER TABLE invitations ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX invitations_waiting_by_change ON invitations (account_id, changed, id)
    WHERE state = 'pending' AND waits;
CREATE CONSTRAINT TRIGGER invitations_are_stamped
    AFTER INSERT OR UPDATE OF email, owner, permissions, all_services, all_domains, until, why, waits,
        ref, full_name
    ON invitations DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.waits) EXECUTE FUNCTION stamp_change();
CREATE FUNCTION reach_touches_invitation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    offering UUID;
BEGIN
    IF TG_OP = 'DELETE' THEN
        offering := OLD.invitation_id;
    ELSE
        offering := NEW.invitation_id;
    END IF;
    UPDATE invitations SET ref = ref WHERE id = offering AND state = 'pending' AND waits;
    RETURN NULL;
END
$$;
CREATE TRIGGER invitation_services_touch AFTER INSERT OR DELETE ON invitation_services
    FOR EACH ROW EXECUTE FUNCTION reach_touches_invitation();
CREATE TRIGGER invitation_domains_touch AFTER INSERT OR DELETE ON invitation_domains
    FOR EACH ROW EXECUTE FUNCTION reach_touches_invitation();
