-- For Postgres alone: how it reckons accounts.
SELECT 1;
