-- Which file of configuration a thing comes from. `object` is the id of the thing that was meant; `applied`, sealed, is what
-- the file said of it when it was last applied.
CREATE TABLE config_objects (
    org uuid NOT NULL,
    section text NOT NULL,
    key text NOT NULL,
    object text NOT NULL,
    manager text NOT NULL,
    applied bytea NOT NULL,
    applied_by text NOT NULL,
    applied_at bigint NOT NULL,
    PRIMARY KEY (org, section, key)
);
