-- What tells who a person is, sealed with the operator's key. Empty where there is no key.
ALTER TABLE callback ADD COLUMN sealed BYTEA;

-- What proves that a key is the one that the store is sealed with.
CREATE TABLE sealing (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    proof BYTEA  NOT NULL
);
