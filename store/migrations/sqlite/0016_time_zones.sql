-- The time zone in which an account's days end, by its name in the tz database; none for the
-- provider's.
ALTER TABLE accounts ADD COLUMN time_zone TEXT;
