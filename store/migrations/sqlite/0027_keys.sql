-- A request is checked by what live grants open, and no more by which they are: those that are alike
-- in this lie together, so that many are soon read as one.
DROP INDEX grants_by_member;
CREATE INDEX grants_by_member
    ON grants (account_id, user_id, all_services, all_domains, permissions, until, id);
