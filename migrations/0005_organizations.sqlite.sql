UPDATE memberships SET id = randomblob(16) WHERE id IS NULL;
CREATE UNIQUE INDEX memberships_id ON memberships (id);

-- As facts: only while a purge of the organization is under way.
DROP TRIGGER function_versions_no_delete;
CREATE TRIGGER function_versions_no_delete BEFORE DELETE ON function_versions
WHEN NOT EXISTS (SELECT 1 FROM purge_permits WHERE purge_permits.org = OLD.org)
BEGIN SELECT RAISE(ABORT, 'versions of functions are insert-only'); END;
