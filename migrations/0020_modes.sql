-- How calls of a version get their interpreter: forked from a warm one, or one of their own.
ALTER TABLE function_versions ADD COLUMN mode text NOT NULL DEFAULT 'fork';
