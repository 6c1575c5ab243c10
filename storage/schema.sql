-- The run store, version 1. What came later is in db.c's table of migrations; this file does not change any more.
--
-- Declared types carry meaning that SQLite ignores and the readers (runs.c) use: TIME is milliseconds since 1970 UTC,
-- BOOLEAN is 0 or 1, JSON is a text. An unknown is NULL, never a number. The first column of each table of a run's
-- parts is the run; names of figures are Stable-Baselines3's, of a decision those of `maestro run --json`.

CREATE TABLE runs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	seed INTEGER NOT NULL,               -- the 64 bits of an unsigned number
	status TEXT NOT NULL,
	start TIME NOT NULL,
	ended TIME,
	steps INTEGER NOT NULL DEFAULT 0,    -- of training, or decisions of a control run
	config JSON,
	host TEXT NOT NULL,
	boot_id TEXT NOT NULL,
	pid INTEGER NOT NULL,
	pid_start INTEGER NOT NULL,          -- clock ticks since boot: tells a recycled pid
	heartbeat TIME NOT NULL
);
CREATE INDEX runs_by_status ON runs(status);

CREATE TABLE updates (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	"update" INTEGER NOT NULL,
	steps INTEGER NOT NULL,
	time TIME NOT NULL,
	ep_rew_mean REAL,
	ep_len_mean REAL,
	approx_kl REAL,
	clip_fraction REAL,
	entropy_loss REAL,
	explained_variance REAL,
	value_loss REAL,
	policy_gradient_loss REAL,
	loss REAL,
	steps_per_s REAL,
	learning_rate REAL,
	clip_range REAL,
	ent_coef REAL,
	grad_norm REAL,
	PRIMARY KEY (run, "update")
) WITHOUT ROWID;
CREATE TRIGGER updates_count_steps AFTER INSERT ON updates BEGIN
	UPDATE runs SET steps = max(steps, NEW.steps) WHERE id = NEW.run; END;

CREATE TABLE evals (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	steps INTEGER NOT NULL,
	time TIME NOT NULL,
	mean_reward REAL,
	std_reward REAL,
	mean_ep_length REAL,
	n_episodes INTEGER NOT NULL,
	best BOOLEAN NOT NULL
);
CREATE INDEX evals_by_reward ON evals(run, mean_reward);

CREATE TABLE episodes (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	steps INTEGER NOT NULL,              -- of training, when it ended
	time TIME NOT NULL,
	source TEXT NOT NULL,
	reward REAL,
	length INTEGER NOT NULL,
	replicas JSON NOT NULL,              -- a number a step, in these three
	latency JSON NOT NULL,               -- ms
	rps JSON NOT NULL
);
CREATE INDEX episodes_by_run ON episodes(run, steps);

CREATE TABLE checkpoints (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	steps INTEGER NOT NULL,
	time TIME NOT NULL,
	kind TEXT NOT NULL,
	path TEXT NOT NULL
);
CREATE INDEX checkpoints_by_run ON checkpoints(run, kind, steps);

CREATE TABLE decisions (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	time TIME NOT NULL,                  -- of the target
	recorded TIME NOT NULL,              -- of this machine
	namespace TEXT NOT NULL,
	deployment TEXT NOT NULL,
	policy TEXT NOT NULL,
	state TEXT NOT NULL,
	sampled TIME,
	cpu_usage REAL,                      -- cores
	memory_usage REAL,                   -- bytes
	replicas INTEGER,
	latency REAL,                        -- ms
	rps REAL,
	age_ms JSON NOT NULL,                -- of cpu, memory, latency, rps, replicas
	ready INTEGER,
	cpu_request REAL,                    -- cores of one pod
	memory_limit REAL,                   -- bytes of one pod
	missing TEXT NOT NULL,
	observation JSON NOT NULL,           -- as given to the policy, every float exact
	action INTEGER,
	probabilities JSON NOT NULL,
	value REAL,
	raw INTEGER,
	desired INTEGER,
	hpa INTEGER,
	guards JSON NOT NULL,
	applied BOOLEAN NOT NULL,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL,
	query_us INTEGER,
	inference_us INTEGER,
	write_us INTEGER,
	resource_version TEXT NOT NULL
);
CREATE INDEX decisions_by_run ON decisions(run, time);
CREATE TRIGGER decisions_count_steps AFTER INSERT ON decisions BEGIN
	UPDATE runs SET steps = steps + 1 WHERE id = NEW.run; END;

CREATE TABLE states (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	time TIME NOT NULL,
	namespace TEXT NOT NULL,
	deployment TEXT NOT NULL,
	"from" TEXT NOT NULL,
	"to" TEXT NOT NULL,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX states_by_run ON states(run, time);

CREATE TABLE interventions (
	run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	steps INTEGER NOT NULL,              -- of training, or the cycle of a loop
	time TIME NOT NULL,
	what TEXT NOT NULL,
	"from" TEXT NOT NULL,
	"to" TEXT NOT NULL,
	who TEXT NOT NULL
);
CREATE INDEX interventions_by_run ON interventions(run, steps);

CREATE TABLE audit (
	run INTEGER REFERENCES runs ON DELETE SET NULL,
	time TIME NOT NULL,
	who TEXT NOT NULL,
	host TEXT NOT NULL,
	context TEXT NOT NULL,
	namespace TEXT NOT NULL,
	deployment TEXT NOT NULL,
	what TEXT NOT NULL,
	"from" INTEGER NOT NULL,
	"to" INTEGER NOT NULL,
	state_before TEXT NOT NULL,
	reason TEXT NOT NULL,
	result TEXT NOT NULL,
	command INTEGER NOT NULL             -- ties "pending" and its result together
);
CREATE INDEX audit_by_run ON audit(run, time);
