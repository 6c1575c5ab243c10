/* `maestro model-server`: options, signals, and the reload of its file (serve/model_server.h). */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/serving.h"

#include "serve/model_server.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { STOP_MS = 4000, LOOK_MS = 1000, THREADS_MAX = 16 };

typedef struct ModelServerOptions {
	ServingOptions serving;
	const char *model;
	int32_t threads;
} ModelServerOptions;

static const Opt OPTIONS[] = {
	SERVING_OPTIONS(ModelServerOptions, "where to serve (127.0.0.1:5000)"),
	{ "model", 'm', OPT_STRING, offsetof(ModelServerOptions, model), 0, 0, "FILE", "safetensors or SB3 zip, or default: the shipped one", false },
	{ "threads", 0, OPT_INT, offsetof(ModelServerOptions, threads), 1, THREADS_MAX, "N", "that answer (one a core, 4 at most)", false },
	{ .name = NULL },
};

const OptCommand MODEL_SERVER_COMMAND = {
	.usage = "model-server --model FILE [options]",
	.summary = "POST /predict answers a policy's action for an observation. SIGHUP, or another file in its place, loads the model anew.",
	.opt = OPTIONS,
};

static void reload(ModelServer *server, const char *path)
{
	Error err = { 0 };
	if (model_server_reload(server, &err))
		(void) fprintf(stderr, "maestro: model-server: %s; the old model goes on serving\n", err.text);
	else
		(void) fprintf(stderr, "maestro: model-server: loaded %s\n", path);
}

static int serve(ModelServer *server, const char *path)
{
	for (;;) {
		int number = serving_wait(LOOK_MS);
		if (number == SIGTERM || number == SIGINT)
			return number;
		if (number == SIGHUP || model_server_is_changed(server))
			reload(server, path);
	}
}

int cmd_model_server(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	ModelServerOptions options = { .serving.listen = "127.0.0.1:5000", .threads = cores < 1 ? 1 : cores > 4 ? 4 : (int32_t) cores };
	int words = 0;
	int code = opts_parse(&MODEL_SERVER_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	Error err = { 0 };
	if (!options.model)
		return cmd_fail(ERR_USAGE, &(Error) { .text = "model-server: --model FILE is missing; see maestro model-server --help" });
	ModelServerConfig config = { .server = serving_config(&options.serving), .model = options.model };
	config.server.threads = (uint32_t) options.threads;
	ModelServer *server = NULL;
	serving_catch_signals();
	code = model_server_start(&config, &server, &err);
	if (code)
		return cmd_fail(code, &err);
	serving_announce("model-server", &options.serving, model_server_port(server), options.model);
	int number = serve(server, options.model);
	model_server_stop(server, STOP_MS);
	return 128 + number;
}
