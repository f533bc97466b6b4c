CREATE TRIGGER function_versions_no_update BEFORE UPDATE ON function_versions
BEGIN SELECT RAISE(ABORT, 'versions of functions are insert-only'); END;
CREATE TRIGGER function_versions_no_delete BEFORE DELETE ON function_versions
BEGIN SELECT RAISE(ABORT, 'versions of functions are insert-only'); END;
CREATE TRIGGER function_versions_no_replace BEFORE INSERT ON function_versions
WHEN EXISTS (SELECT 1 FROM function_versions WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'versions of functions are insert-only'); END;
