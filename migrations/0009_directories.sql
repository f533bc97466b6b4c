-- Roles that follow the groups of a directory: JSON object, group → roles.
ALTER TABLE auth_providers ADD COLUMN group_roles text NOT NULL DEFAULT '{}';
