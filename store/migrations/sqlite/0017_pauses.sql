-- A membership that is paused opens nothing until it is resumed: since when, by whom and why.
-- paused_why is empty where nobody said it.
ALTER TABLE memberships ADD COLUMN paused_at INTEGER;
ALTER TABLE memberships ADD COLUMN paused_by BLOB REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE memberships ADD COLUMN paused_why TEXT NOT NULL DEFAULT '';

-- The last stage of a grant's end that nobody has to be told of any more: 1 a week before it, 2 a
-- day, 3 the end; 0 for none. Each is told once, whichever node does it.
ALTER TABLE grants ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX grants_to_tell_of ON grants (account_id, until) WHERE until IS NOT NULL AND told < 3;
