-- In the order of bytes, as on SQLite: cursors and prefixes go by it.
ALTER TABLE files ALTER COLUMN name TYPE text COLLATE "C";

CALL safeconduct_isolate('file_collections');
CALL safeconduct_isolate('file_usage');
CALL safeconduct_isolate('files');
CALL safeconduct_isolate('file_versions');
CALL safeconduct_isolate('file_chunks');
CALL safeconduct_isolate('file_uploads');
CALL safeconduct_isolate('file_links');
