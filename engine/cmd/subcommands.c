/* See subcommands.h. */
#include "cmd/subcommands.h"
#include "cmd/cmd.h"
#include "cmd/evaluate_opts.h"
#include "cmd/train_opts.h"

#include <string.h>

static const Subcommand TABLE[] = {
	{ "fit", cmd_fit, &FIT_COMMAND, "a simulated service from a Deployment's Prometheus history" },
	{ "train", cmd_train, &TRAIN_COMMAND, "PPO training; the console on a terminal, progress lines elsewhere" },
	{ "tune", cmd_tune, &TUNE_COMMAND, "a small search over train's hyper-parameters, by successive halving" },
	{ "trial", cmd_trial, &TRIAL_COMMAND, "one training of those that train or tune --on kubernetes has put into a Job" },
	{ "evaluate", cmd_evaluate, &EVALUATE_COMMAND, "policies on the same traffic, side by side" },
	{ "run", cmd_run, &RUN_COMMAND, "the observe-infer-act loop over Deployments" },
	{ "runs", cmd_runs, &RUNS_COMMAND, "the run store: list, show, compare, export, tag, delete, ..." },
	{ "model", cmd_model, &MODEL_COMMAND, "policies as files: inspect, convert, predict; SB3 zip, safetensors, ONNX" },
	{ "model-server", cmd_model_server, &MODEL_SERVER_COMMAND, "POST /predict: a policy behind HTTP" },
	{ "suggestion-server", cmd_suggestion_server, &SUGGESTION_SERVER_COMMAND, "GET /suggestion: metrics in, the model's action out" },
	{ "autoscaler", cmd_autoscaler, &AUTOSCALER_COMMAND, "polls a suggestion server and scales" },
	{ "doctor", cmd_doctor, &DOCTOR_COMMAND, "looks at Prometheus, API, rights and target, and says what to fix" },
	{ "target-app", cmd_target_app, &TARGET_APP_COMMAND, "a sample HTTP service to scale" },
	{ "load", cmd_load, &LOAD_COMMAND, "load on URLs: a rate, a trace, or virtual users" },
	{ "sim", cmd_sim, &SIM_COMMAND, "sim check: the simulator against theory, single requests and a real Prometheus" },
	{ "keys", cmd_keys, &KEYS_COMMAND, "the console's keys, and the check of a keys.yaml" },
	{ "colors", cmd_colors, &COLORS_COMMAND, "the palettes, their contrast, and how the colour-blind see them" },
	{ "completion", cmd_completion, &COMPLETION_COMMAND, "completion for bash, zsh, fish or kubectl" },
	{ "targets", cmd_targets, &TARGETS_COMMAND, "the targets, their settings and where each comes from" },
	{ "override", cmd_override, &OVERRIDE_COMMAND, "set or hold a target's replicas by hand, pause it, or give it back; audited" },
	{ "config", cmd_config, &CONFIG_COMMAND, "a commented configuration file, and the check of one" },
	{ NULL, NULL, NULL, NULL },
};

_Static_assert(sizeof TABLE / sizeof *TABLE <= SUBCOMMANDS_MAX + 1, "more of them than a list of their names holds");

const Subcommand *subcommands(void)
{
	return TABLE;
}

const Opt *subcommand_options(const char *name)
{
	if (!strcmp(name, "console"))
		return CONSOLE_COMMAND.opt;
	for (const Subcommand *s = TABLE; s->name; s++)
		if (!strcmp(s->name, name))
			return s->command->opt;
	return NULL;
}
