CREATE TRIGGER policies_no_update BEFORE UPDATE ON policies
BEGIN SELECT RAISE(ABORT, 'versions of policies are insert-only'); END;
-- As facts: only while a purge of the organization is under way.
CREATE TRIGGER policies_no_delete BEFORE DELETE ON policies
WHEN NOT EXISTS (SELECT 1 FROM purge_permits WHERE purge_permits.org = OLD.org)
BEGIN SELECT RAISE(ABORT, 'versions of policies are insert-only'); END;
CREATE TRIGGER policies_no_replace BEFORE INSERT ON policies
WHEN EXISTS (SELECT 1 FROM policies WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'versions of policies are insert-only'); END;
