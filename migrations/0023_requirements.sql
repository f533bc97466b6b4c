-- The packages of a version: what it asks for (JSON), the names among that, and the lock that it led to with its hash.
ALTER TABLE function_versions ADD COLUMN requirements text NOT NULL DEFAULT '[]';
ALTER TABLE function_versions ADD COLUMN packages text NOT NULL DEFAULT '[]';
ALTER TABLE function_versions ADD COLUMN package_lock text;
ALTER TABLE function_versions ADD COLUMN package_lock_sha256 bytea;
