-- Version 2: what a person adds to a run, and the trash.

ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT ''; -- parted by blanks
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN locked BOOLEAN NOT NULL DEFAULT 0; -- against deletion
ALTER TABLE runs ADD COLUMN deleted TIME; -- when it was moved to the trash
