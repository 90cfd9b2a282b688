-- What stands in the operator's own fields: a JSON object of strings and booleans.
ALTER TABLE callback ADD COLUMN fields TEXT;
