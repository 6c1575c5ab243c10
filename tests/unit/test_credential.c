/* Credential plugins that are real programs. */
#include "base/http.h"
#include "cluster/credential.h"
#include "cluster/kube.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Folder {
	char path[64], script[96], log[96];
} Folder;

/* script NULL: a file that only a shell could run, since it does not say by whom. */
static void plugin_make(Folder *folder, const char *script)
{
	str_copy(folder->path, sizeof folder->path, "/tmp/maestro-exec-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void) snprintf(folder->script, sizeof folder->script, "%s/plugin", folder->path);
	(void) snprintf(folder->log, sizeof folder->log, "%s/log", folder->path);
	FILE *file = fopen(folder->script, "w");
	assert_non_null(file);
	(void) fprintf(file, "%s%s", script ? "#!/bin/sh\n" : "touch log\n", script ? script : "");
	(void) fclose(file);
	assert_int_equal(chmod(folder->script, 0700), 0);
}

static void plugin_remove(Folder *folder)
{
	(void) unlink(folder->script);
	(void) unlink(folder->log);
	(void) rmdir(folder->path);
}

static int plugin_open(const Folder *folder, ExecPlugin **ret, Error *err)
{
	char text[512];
	Json *root = NULL;
	(void) snprintf(text, sizeof text, "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"command\":\"./plugin\",\"args\":[\"one\","
	                "\"two words; $(echo x)\"],\"env\":[{\"name\":\"LOG\",\"value\":\"%s\"}],\"installHint\":\"ask the cloud\"}", folder->log);
	assert_int_equal(json_parse(text, strlen(text), &root, NULL), 0);
	int code = exec_plugin_new(root, folder->path, ret, err);
	json_free(root);
	return code;
}

static void a_plugin_is_run_by_its_argv_and_kept_until_it_expires(void **state)
{
	(void) state;
	Folder folder;
	Clock clock;
	ExecPlugin *plugin;
	ExecCredential got = { 0 };
	Error err = { 0 };
	StrBuf log = { 0 };
	plugin_make(&folder, "echo \"$#|$1|$2|$KUBERNETES_EXEC_INFO\" >>\"$LOG\"\n"
	            "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t0ken\",\"expirationTimestamp\":\"2027-01-15T08:01:00Z\"}}'\n");
	assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
	clock_init_fake(&clock, 1800000000000); /* 2027-01-15T08:00:00Z */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), 0);
		assert_string_equal(got.token, "t0ken");
		exec_credential_done(&got);
	}
	clock.now_ms += 55000; /* it would expire on the way */
	assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), 0);
	exec_credential_done(&got);
	clock.now_ms -= 55000;
	assert_int_equal(exec_plugin_get(plugin, &clock, true, &got, &err), 0); /* a 401 came */
	exec_credential_done(&got);
	assert_int_equal(mem_read_file(folder.log, 4096, &log, &err), 0);
	int runs = 0;
	for (const char *at = log.data; (at = strchr(at, '\n')); at++)
		runs++;
	assert_int_equal(runs, 3);
	assert_non_null(strstr(log.data, "2|one|two words; $(echo x)|{\"kind\":\"ExecCredential\""));
	strbuf_done(&log);
	exec_plugin_free(plugin);
	plugin_remove(&folder);
}

static void a_plugin_that_fails_says_so_without_its_output(void **state)
{
	(void) state;
	static const struct {
		const char *script;
		int code;
	} cases[] = {
		{ "echo s3cret; exit 3\n", ERR_FAILED },
		{ "echo s3cret\n", ERR_PARSE },
		{ "echo '{\"kind\":\"ExecCredential\",\"status\":{}}'\n", ERR_PARSE },
		{ "echo '{\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"s3cret\"}}'\n", ERR_PARSE },
		{ "true\n", ERR_PARSE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Folder folder;
		Clock clock;
		ExecPlugin *plugin;
		ExecCredential got = { 0 };
		Error err = { 0 };
		clock_init_system(&clock);
		plugin_make(&folder, cases[i].script);
		assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
		assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), cases[i].code);
		assert_non_null(strstr(err.text, "credential plugin"));
		assert_null(strstr(err.text, "s3cret"));
		exec_plugin_free(plugin);
		plugin_remove(&folder);
	}
}

/* With text in its error. */
static void expect_no_start(bool is_there, const char *text)
{
	Folder folder;
	Clock clock;
	ExecPlugin *plugin;
	ExecCredential got = { 0 };
	Error err = { 0 };
	clock_init_system(&clock);
	plugin_make(&folder, NULL);
	assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
	if (!is_there)
		(void) unlink(folder.script);
	assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), ERR_FAILED);
	assert_non_null(strstr(err.text, text));
	exec_plugin_free(plugin);
	plugin_remove(&folder);
}

static void a_plugin_that_is_not_there_gives_its_hint(void **state)
{
	(void) state;
	expect_no_start(false, "ask the cloud");
}

static void no_shell_runs_a_plugin_that_is_no_program(void **state)
{
	(void) state;
	expect_no_start(true, "Exec format error");
}

/* D 13: a 401 asks the plugin once, and a token that stays wrong is an error. */
static void refused_handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	(void) context, (void) request;
	reply->status = 401;
}

static void a_401_asks_the_plugin_once(void **state)
{
	(void) state;
	Folder folder;
	Clock clock;
	KubeConfig config = { 0 };
	KubeClient *client;
	Error err = { 0 };
	StrBuf log = { 0 };
	FakeServer *server = fake_server_start(refused_handle, NULL);
	config.server = (char *) (uintptr_t) fake_server_url(server);
	clock_init_system(&clock);
	plugin_make(&folder, "echo x >>\"$LOG\"\necho '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'\n");
	assert_int_equal(plugin_open(&folder, &config.exec, &err), 0);
	assert_int_equal(kube_client_new(&config, &clock, &client, &err), 0);
	assert_int_equal(kube_request(client, "x", "GET", "/x", NULL, NULL, &err), ERR_UNAUTHORIZED);
	assert_int_equal(fake_server_requests(server), 2);
	assert_int_equal(mem_read_file(folder.log, 64, &log, &err), 0);
	assert_string_equal(log.data, "x\nx\n");
	strbuf_done(&log);
	kube_client_free(client);
	exec_plugin_free(config.exec);
	fake_server_stop(server);
	plugin_remove(&folder);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plugin_is_run_by_its_argv_and_kept_until_it_expires),
		cmocka_unit_test(a_plugin_that_fails_says_so_without_its_output),
		cmocka_unit_test(a_plugin_that_is_not_there_gives_its_hint),
		cmocka_unit_test(no_shell_runs_a_plugin_that_is_no_program),
		cmocka_unit_test(a_401_asks_the_plugin_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
