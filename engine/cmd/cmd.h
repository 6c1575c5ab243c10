/* The sub-commands. Each takes argv with its own name in argv[0] and answers the process's exit status. */
#ifndef MAESTRO_CMD_CMD_H
#define MAESTRO_CMD_CMD_H

#include "base/err.h"

#include <stddef.h>

int cmd_train(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_runs(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_model_server(int argc, char **argv);
int cmd_autoscaler(int argc, char **argv);
int cmd_targets(int argc, char **argv);
int cmd_override(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_suggestion_server(int argc, char **argv);
int cmd_target_app(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_colors(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_trial(int argc, char **argv);
int cmd_sim(int argc, char **argv);

/* Their options (opts.h); of train, tune and evaluate in train_opts.h and evaluate_opts.h. */
extern const struct OptCommand RUN_COMMAND, CONSOLE_COMMAND, RUNS_COMMAND, MODEL_COMMAND, MODEL_SERVER_COMMAND, AUTOSCALER_COMMAND, TARGETS_COMMAND,
	OVERRIDE_COMMAND, DOCTOR_COMMAND, SUGGESTION_SERVER_COMMAND, TARGET_APP_COMMAND, FIT_COMMAND, LOAD_COMMAND, KEYS_COMMAND, COLORS_COMMAND,
	COMPLETION_COMMAND, CONFIG_COMMAND, TRIAL_COMMAND, SIM_COMMAND;

/* Prints "maestro: TEXT" for a failed command and answers its exit status; NULL err prints the code's text. */
int cmd_fail(int code, const Error *err);

/* The store's path: given, else $XDG_DATA_HOME/maestro/maestro.db, else ~/.local/share/maestro/maestro.db. */
void cmd_db_path(const char *given, char *path, size_t size);

#endif
