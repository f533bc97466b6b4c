-- Which deliveries of a hook run its function, and what they become: JSON; every one does, where there are none.
ALTER TABLE hooks ADD COLUMN routes text NOT NULL DEFAULT '[]';
