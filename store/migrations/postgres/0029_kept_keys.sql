-- What a membership's grants open, as a request is checked by it, stands in the membership: of all grants
-- that are alike in this the latest end (- for none) and, once, whether they reach all services and all
-- domains, and their permissions. So a request reads one row, however many grants there are. The
-- database keeps it true, whoever writes a grant.
ALTER TABLE memberships ADD COLUMN keys TEXT NOT NULL DEFAULT '';
CREATE FUNCTION membership_keeps_keys() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written grants;
BEGIN
    IF TG_OP = 'DELETE' THEN
        written := OLD;
    ELSE
        written := NEW;
    END IF;
    UPDATE memberships
    SET keys = coalesce((
        SELECT string_agg(k.alike, ';') FROM (
            SELECT CASE WHEN count(*) = count(g.until) THEN CAST(max(g.until) AS TEXT) ELSE '-' END
                 || ' ' || CAST(g.all_services AS INTEGER)
                 || ' ' || CAST(g.all_domains AS INTEGER) || ' ' || g.permissions AS alike
            FROM grants g
            WHERE g.account_id = written.account_id AND g.user_id = written.user_id
            GROUP BY g.all_services, g.all_domains, g.permissions) k), '')
    WHERE account_id = written.account_id AND user_id = written.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER grants_begin AFTER INSERT OR DELETE ON grants
    FOR EACH ROW EXECUTE FUNCTION membership_keeps_keys();
CREATE TRIGGER grants_change AFTER UPDATE OF permissions, all_services, all_domains, until ON grants
    FOR EACH ROW EXECUTE FUNCTION membership_keeps_keys();
-- Behind the triggers, which wait for those who write: what an earlier version wrote meanwhile is in it.
UPDATE memberships
    SET keys = coalesce((
        SELECT string_agg(k.alike, ';') FROM (
            SELECT CASE WHEN count(*) = count(g.until) THEN CAST(max(g.until) AS TEXT) ELSE '-' END
                 || ' ' || CAST(g.all_services AS INTEGER)
                 || ' ' || CAST(g.all_domains AS INTEGER) || ' ' || g.permissions AS alike
            FROM grants g
            WHERE g.account_id = memberships.account_id AND g.user_id = memberships.user_id
            GROUP BY g.all_services, g.all_domains, g.permissions) k), '');
