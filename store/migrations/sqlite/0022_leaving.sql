-- Somebody's login is deleted with all that names them, and they can have what is known of them: both
-- ask by the user or their address, where until now only accounts asked.
CREATE INDEX memberships_by_inviter ON memberships (invited_by) WHERE invited_by IS NOT NULL;
CREATE INDEX memberships_by_pauser ON memberships (paused_by) WHERE paused_by IS NOT NULL;
CREATE INDEX grants_by_giver ON grants (given_by) WHERE given_by IS NOT NULL;
CREATE INDEX access_requests_by_answerer
    ON access_requests (answered_by) WHERE answered_by IS NOT NULL;
CREATE INDEX invitations_by_inviter ON invitations (inviter_id, id) WHERE inviter_id IS NOT NULL;
CREATE INDEX invitations_by_email ON invitations (email_key, id);
CREATE INDEX outbox_by_recipient ON outbox (email_key, id);
CREATE INDEX activity_by_actor ON activity (actor_id, id) WHERE actor_id IS NOT NULL;
