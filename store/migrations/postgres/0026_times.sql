-- The time zone in which a user is told when something is, by its name in the tz database; none until
-- they choose one.
ALTER TABLE users ADD COLUMN time_zone TEXT;
