-- Who waits can be offered several grants. Then `grants` holds them as JSON, each with its reach, its end and
-- its reason; `permissions` and `why` are empty, which opens nothing to whoever doesn't know of it, `until` is
-- the last end, and `invitation_services` and `invitation_domains` name what any of them reaches: a thing that
-- isn't there is reached by none. Whoever writes it writes `permissions`, too, and so it is a change.
ALTER TABLE invitations ADD COLUMN grants TEXT NOT NULL DEFAULT '';
