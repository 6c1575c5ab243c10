-- Version 4: which model decided, and what it was offered (with the observation that is what makes a decision again).

ALTER TABLE decisions ADD COLUMN model TEXT NOT NULL DEFAULT ''; -- SHA-256 of the model's file
ALTER TABLE decisions ADD COLUMN mask JSON NOT NULL DEFAULT '[]'; -- 1: the action was allowed; [] where nothing was observed
CREATE INDEX decisions_by_model ON decisions(deployment, namespace, model, time) WHERE model <> '' AND state = 'Active';
