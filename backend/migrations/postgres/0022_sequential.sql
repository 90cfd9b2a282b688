-- SQLite's indexes of claims and of what is due were written in no order, and are gone (see its own file of this number). PostgreSQL keeps
-- them: its processes share no memory. Both databases have one version, so that a store can move between them.
SELECT 1;
