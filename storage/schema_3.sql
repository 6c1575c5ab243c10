-- Version 3: what an evaluation measured, a row an episode at the settings that were tuned for its weight of violation.

CREATE TABLE results (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	time TIME NOT NULL,
	policy TEXT NOT NULL,                -- the word on the command line
	settings TEXT NOT NULL,              -- what tuning found, "" where there was nothing to find
	trace TEXT NOT NULL,
	seed INTEGER NOT NULL,
	lambda REAL NOT NULL,
	v_pct REAL,
	pod_hours REAL,
	slo_violation_s REAL,
	slo_violation_soft_s REAL,
	figures JSON NOT NULL                -- all of them, by the names of `maestro evaluate --json`
);
CREATE INDEX results_by_run ON results(run);
CREATE TRIGGER results_count_steps AFTER INSERT ON results BEGIN
	UPDATE runs SET steps = steps + 1 WHERE id = NEW.run; END;
