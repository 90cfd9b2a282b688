-- What is made smaller is SQLite's (see its own file of this number). Both databases have one version, so that a store can move between
-- them.
SELECT 1;
