-- A store as after years: 10,000 runs of 500 experiments and some 5 million rows of figures. The schema is there already.
-- Trainings are nine of ten runs (500 updates and 50 evaluations each), then evaluations and control runs (200 decisions each).

PRAGMA synchronous = OFF;
PRAGMA cache_size = -262144;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
INSERT INTO runs (id, kind, name, seed, status, start, ended, config, host, boot_id, pid, pid_start, heartbeat, tags, note)
SELECT i,
	CASE WHEN i % 20 = 0 THEN 'control' WHEN i % 20 = 10 THEN 'evaluate' ELSE 'train' END,
	'web-lr' || (i / 20 % 50) || 'e-5', i % 20,
	CASE WHEN i % 97 = 0 THEN 'crashed' WHEN i % 31 = 0 THEN 'stopped' ELSE 'done' END,
	1764000000000 + i * 600000, 1764000000000 + i * 600000 + 550000,
	json_object('preset', 'default', 'service', NULL, 'traffic', NULL, 'randomise', 0, 'chaos', 0, 'name', 'web-lr' || (i / 20 % 50) || 'e-5',
		'steps', 5000000, 'envs', 8, 'seed', i % 20, 'eval-every', 100000, 'eval-episodes', 10, 'trace', json_array('nasa95_jul_week'),
		'latency-soft', 250, 'latency-hard', 500, 'min-replicas', 1, 'max-replicas', 15, 'interval', 15, 'bounds', 'noop', 'level', 'fluid',
		'observation', 'trend', 'actions', 'wide', 'rate-window', 35, 'stack', 1, 'reward', 'slo', 'pod-price', .3, 'startup', 30,
		'clone-steps', 200000, 'teacher-coef', .1, 'even-advantage', .75, 'norm-obs', json('true'), 'norm-reward', json('true'),
		'use-masking', json('true'), 'learning-rate', (i / 20 % 50) || 'e-5', 'n-steps', 1024, 'batch-size', 64, 'n-epochs', 10,
		'gamma', .99, 'gae-lambda', .95, 'clip-range', '0.2', 'clip-range-vf', '0', 'normalize-advantage', json('true'),
		'target-kl', 0, 'ent-coef', (i / 1000) / 1000.0, 'vf-coef', .5, 'max-grad-norm', .5, 'net-arch', '64,64', 'activation', 'tanh',
		'episode-steps', 200, 'env', 'sim', 'metric-window', 30, 'compression', 1, 'out', '/var/lib/maestro/runs/' || i),
	'build-7', 'b', 1, 1, 0, CASE WHEN i % 7 = 0 THEN 'web best' ELSE '' END, CASE WHEN i % 11 = 0 THEN 'second seed' ELSE '' END
FROM n;
DROP TRIGGER updates_count_steps;
WITH RECURSIVE u(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM u WHERE k < 500)
INSERT INTO updates (run, "update", steps, time, ep_rew_mean, ep_len_mean, approx_kl, clip_fraction, entropy_loss, explained_variance,
	value_loss, policy_gradient_loss, loss, steps_per_s, learning_rate, clip_range, ent_coef, grad_norm)
SELECT id, k, k * 10000, start + k * 1000, 57.0 * k / (k + 60) + (id * 7919 + k * 104729) % 97 / 30.0, 200, .0106, .104, -.812, .871,
	.0322, -.0131, .01, 41200.5, 3e-4, .2, .01, .47
FROM runs, u WHERE kind = 'train';
UPDATE runs SET steps = 5000000 WHERE kind = 'train';
CREATE TRIGGER updates_count_steps AFTER INSERT ON updates BEGIN
	UPDATE runs SET steps = max(steps, NEW.steps) WHERE id = NEW.run; END;
WITH RECURSIVE u(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM u WHERE k < 50)
INSERT INTO evals (run, steps, time, mean_reward, std_reward, mean_ep_length, n_episodes, best)
SELECT id, k * 100000, start + k * 10000, 57.0 * k / (k + 6) + (id * 7919 + k * 104729) % 97 / 30.0, 1.5, 200, 10, 0
FROM runs, u WHERE kind = 'train';
WITH RECURSIVE step(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM step WHERE k < 199), wave AS (
	SELECT json_group_array(3 + k / 20 % 4) AS replicas, json_group_array(120.5 + k * 37 % 200) AS latency, json_group_array(400.25 + k) AS rps
	FROM step)
INSERT INTO episodes (run, steps, time, source, reward, length, replicas, latency, rps)
SELECT id, 5000000, ended, sources.column1, 52.5, 200, replicas, latency, rps
FROM runs, wave, (VALUES ('eval'), ('hpa')) AS sources WHERE kind = 'train';
INSERT INTO checkpoints (run, steps, time, kind, path)
SELECT id, 5000000, ended, kinds.column1, '/var/lib/maestro/runs/' || id || '/' || kinds.column1
FROM runs, (VALUES ('last'), ('best'), ('model')) AS kinds WHERE kind = 'train';
WITH RECURSIVE u(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM u WHERE k < 200)
INSERT INTO decisions (run, time, recorded, namespace, deployment, policy, state, replicas, latency, rps, age_ms, missing, observation,
	probabilities, raw, desired, guards, applied, reason, detail, resource_version)
SELECT id, start + k * 15000, start + k * 15000, 'shop', 'web', 'model:/var/lib/maestro/web.safetensors', 'Active', 3 + k % 5, 180 + k, 400 + k,
	'[1,1,1,1,1]', '', '[0.1,0.2,0.3,0.4,0.5]', '[0.1,0.8,0.1]', 4, 4, '[]', k % 9 = 0, 'PolicyHold', '', k
FROM runs, u WHERE kind = 'control';
INSERT INTO results (run, time, policy, settings, trace, seed, lambda, v_pct, pod_hours, slo_violation_s, slo_violation_soft_s, figures)
SELECT id, ended, p.column1, '', 'nasa95_jul_week', 1, 30, 4.5, 61.2, 90, 310, '{}'
FROM runs, (VALUES ('hpa'), ('hpa*'), ('model:/var/lib/maestro/web.safetensors')) AS p WHERE kind = 'evaluate';
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
