/* See credential.h. */
#include "cluster/credential.h"

#include "base/mem.h"
#include "cluster/quantity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 64, ANSWER_MAX = 1 << 20, LIMIT_MS = 30000, EARLY_MS = 10000 };

extern char **environ;

struct ExecPlugin {
	pthread_mutex_t lock;
	char *api_version;
	char *argv[ARGS_MAX + 2]; /* NULL at the end */
	char *env[ARGS_MAX + 1];  /* NAME=VALUE; NULL at the end */
	char *hint;               /* installHint */
	ExecCredential kept;
	bool has_kept;
	int64_t expires_ms;       /* wall; INT64_MAX: never */
};

/* ---- what the file says ---- */

static int take_args(const Json *exec, ExecPlugin *plugin, Error *err)
{
	size_t n = 1;
	for (const Json *arg = json_first(json_get(exec, "args")); arg; arg = json_next(arg)) {
		if (!json_string(arg) || n > ARGS_MAX)
			return error_set(err, ERR_INVALID, "exec: args: strings, at most %d", ARGS_MAX);
		if (!(plugin->argv[n++] = strdup(json_string(arg))))
			return error_set(err, ERR_NOMEM, "out of memory");
	}
	n = 0;
	for (const Json *pair = json_first(json_get(exec, "env")); pair; pair = json_next(pair)) {
		const char *name = json_string_or(pair, "name", ""), *value = json_string_or(pair, "value", "");
		if (!*name || strchr(name, '=') || n == ARGS_MAX)
			return error_set(err, ERR_INVALID, "exec: env: names and values, at most %d", ARGS_MAX);
		if (asprintf(&plugin->env[n], "%s=%s", name, value) < 0) {
			plugin->env[n] = NULL;
			return error_set(err, ERR_NOMEM, "out of memory");
		}
		n++;
	}
	return 0;
}

/* A command with a slash is relative to the kubeconfig's folder; without one it is looked for in PATH. */
static char *command_of(const char *command, const char *folder)
{
	char *path = NULL;
	if (*command == '/' || !strchr(command, '/'))
		return strdup(command);
	return asprintf(&path, "%s/%s", *folder ? folder : ".", command) < 0 ? NULL : path;
}

int exec_plugin_new(const Json *exec, const char *folder, ExecPlugin **ret_plugin, Error *err)
{
	const char *command = json_string_or(exec, "command", ""), *version = json_string_or(exec, "apiVersion", "");
	if (!*command)
		return error_set(err, ERR_INVALID, "exec: no command");
	if (strcmp(version, "client.authentication.k8s.io/v1") && strcmp(version, "client.authentication.k8s.io/v1beta1"))
		return error_set(err, ERR_INVALID, "exec: apiVersion \"%.60s\" is not client.authentication.k8s.io/v1 or v1beta1", version);
	if (!strcmp(json_string_or(exec, "interactiveMode", ""), "Always"))
		return error_set(err, ERR_INVALID, "exec: interactiveMode Always: there is nobody to ask here");
	ExecPlugin *plugin = calloc(1, sizeof *plugin);
	if (!plugin)
		return error_set(err, ERR_NOMEM, "out of memory");
	(void) pthread_mutex_init(&plugin->lock, NULL);
	plugin->api_version = strdup(version);
	plugin->hint = strdup(json_string_or(exec, "installHint", ""));
	plugin->argv[0] = command_of(command, folder);
	int code = plugin->api_version && plugin->hint && plugin->argv[0] ? take_args(exec, plugin, err)
	                                                                 : error_set(err, ERR_NOMEM, "out of memory");
	if (code)
		exec_plugin_free(plugin);
	else
		*ret_plugin = plugin;
	return code;
}

void exec_credential_done(ExecCredential *credential)
{
	str_wipe(&credential->token);
	str_wipe(&credential->cert_pem);
	str_wipe(&credential->key_pem);
}

void exec_plugin_free(ExecPlugin *plugin)
{
	if (!plugin)
		return;
	exec_credential_done(&plugin->kept);
	for (size_t i = 0; i < ARGS_MAX + 1; i++)
		str_wipe(&plugin->argv[i]);
	for (size_t i = 0; i < ARGS_MAX; i++)
		str_wipe(&plugin->env[i]);
	free(plugin->api_version);
	free(plugin->hint);
	(void) pthread_mutex_destroy(&plugin->lock);
	free(plugin);
}

/* ---- running it ---- */

/* environ, the plugin's env, KUBERNETES_EXEC_INFO. The array and its last string are the caller's to free. */
static char **environment(const ExecPlugin *plugin, char **ret_info)
{
	size_t n = 0, own = 0;
	while (environ[n])
		n++;
	while (plugin->env[own])
		own++;
	char **env = calloc(n + own + 2, sizeof *env);
	int len = asprintf(ret_info, "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\","
	                   "\"spec\":{\"interactive\":false}}", plugin->api_version);
	if (!env || len < 0) {
		if (len >= 0)
			free(*ret_info);
		free(env);
		return NULL;
	}
	memcpy(env, environ, n * sizeof *env);
	memcpy(env + n, plugin->env, own * sizeof *env);
	env[n + own] = *ret_info;
	return env;
}

static int start(ExecPlugin *plugin, pid_t *ret_pid, int *ret_fd, Error *err)
{
	int fds[2];
	char *info = NULL;
	char **env = environment(plugin, &info);
	posix_spawn_file_actions_t actions;
	if (!env)
		return error_set(err, ERR_NOMEM, "out of memory");
	if (pipe2(fds, O_CLOEXEC)) {
		free(env);
		free(info);
		return error_set(err, ERR_FAILED, "credential plugin %s: no pipe", plugin->argv[0]);
	}
	(void) posix_spawn_file_actions_init(&actions);
	(void) posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void) posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	int failed = posix_spawnp(ret_pid, plugin->argv[0], &actions, NULL, plugin->argv, env);
	(void) posix_spawn_file_actions_destroy(&actions);
	(void) close(fds[1]);
	free(env);
	free(info);
	if (failed) {
		(void) close(fds[0]);
		return error_set(err, ERR_FAILED, "credential plugin %s: %s%s%.100s", plugin->argv[0], strerror(failed),
		                 *plugin->hint ? "; " : "", plugin->hint);
	}
	*ret_fd = fds[0];
	return 0;
}

static int read_answer(ExecPlugin *plugin, int fd, Clock *clock, StrBuf *answer, Error *err)
{
	int64_t until = clock_mono_ms(clock) + LIMIT_MS;
	for (;;) {
		char part[4096];
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_mono_ms(clock);
		if (left <= 0 || poll(&poll_fd, 1, (int) left) == 0)
			return error_set(err, ERR_TIMEOUT, "credential plugin %s: no answer in %d s", plugin->argv[0], LIMIT_MS / 1000);
		ssize_t got = read(fd, part, sizeof part);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? error_set(err, ERR_IO, "credential plugin %s: its output cannot be read", plugin->argv[0]) : 0;
		strbuf_add(answer, part, (size_t) got);
		explicit_bzero(part, sizeof part);
		if (answer->failed || answer->len > ANSWER_MAX)
			return error_set(err, ERR_PARSE, "credential plugin %s: its output is too long", plugin->argv[0]);
	}
}

/* NULL stays where the answer has no such string. */
static int take(const Json *root, const char *path, char **ret, Error *err)
{
	const char *text = json_string_or(root, path, "");
	if (*text && !(*ret = strdup(text)))
		return error_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

static int parse(ExecPlugin *plugin, const StrBuf *answer, Error *err)
{
	Json *root = NULL;
	ExecCredential got = { 0 };
	int64_t expires_ms = INT64_MAX;
	if (!answer->len || json_parse(answer->data, answer->len, &root, NULL) ||
	    strcmp(json_string_or(root, "kind", ""), "ExecCredential")) {
		json_free(root);
		return error_set(err, ERR_PARSE, "credential plugin %s: its output is not an ExecCredential", plugin->argv[0]);
	}
	int code = take(root, "status.token", &got.token, err);
	if (!code)
		code = take(root, "status.clientCertificateData", &got.cert_pem, err);
	if (!code)
		code = take(root, "status.clientKeyData", &got.key_pem, err);
	if (!code && (!got.token && !got.cert_pem))
		code = error_set(err, ERR_PARSE, "credential plugin %s: neither a token nor a certificate in its answer", plugin->argv[0]);
	if (!code && !got.cert_pem != !got.key_pem)
		code = error_set(err, ERR_PARSE, "credential plugin %s: a certificate and its key go together", plugin->argv[0]);
	(void) time_parse(json_string_or(root, "status.expirationTimestamp", ""), &expires_ms);
	json_free(root);
	if (code) {
		exec_credential_done(&got);
		return code;
	}
	exec_credential_done(&plugin->kept);
	plugin->kept = got;
	plugin->has_kept = true;
	plugin->expires_ms = expires_ms;
	return 0;
}

static int run(ExecPlugin *plugin, Clock *clock, Error *err)
{
	pid_t pid;
	int fd = -1, status = 0;
	StrBuf answer = { 0 };
	int code = start(plugin, &pid, &fd, err);
	if (code)
		return code;
	code = read_answer(plugin, fd, clock, &answer, err);
	(void) close(fd);
	if (code)
		(void) kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!code && (!WIFEXITED(status) || WEXITSTATUS(status)))
		code = error_set(err, ERR_FAILED, "credential plugin %s: it failed (exit %d)", plugin->argv[0],
		                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	if (!code)
		code = parse(plugin, &answer, err);
	strbuf_wipe(&answer);
	return code;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

int exec_plugin_get(ExecPlugin *plugin, Clock *clock, bool is_refused, ExecCredential *ret, Error *err)
{
	int code = 0;
	(void) pthread_mutex_lock(&plugin->lock);
	if (!plugin->has_kept || is_refused || clock_wall_ms(clock) + EARLY_MS >= plugin->expires_ms)
		code = run(plugin, clock, err);
	if (!code)
		*ret = (ExecCredential) { copy(plugin->kept.token), copy(plugin->kept.cert_pem), copy(plugin->kept.key_pem) };
	(void) pthread_mutex_unlock(&plugin->lock);
	return code;
}
