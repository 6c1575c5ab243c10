/* Kubeconfigs as kubectl writes and reads them, and the YAML and quantities beneath. */
#include "base/yaml.h"
#include "cluster/kubeconfig.h"
#include "cluster/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char FIXTURE[] = "tests/fixtures/kubeconfig.yaml";

typedef struct Folder {
	char path[64];
	char *file[4];
	int n;
} Folder;

static void folder_make(Folder *folder)
{
	*folder = (Folder) { .path = "/tmp/maestro-test-XXXXXX" };
	assert_non_null(mkdtemp(folder->path));
}

static const char *folder_add(Folder *folder, const char *name, const char *text)
{
	char *path;
	assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
	folder->file[folder->n++] = path;
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void folder_remove(Folder *folder)
{
	while (folder->n > 0) {
		(void) unlink(folder->file[--folder->n]);
		free(folder->file[folder->n]);
	}
	(void) rmdir(folder->path);
}

static void kubeconfig_reads_what_kubectl_wrote(void **state)
{
	(void) state;
	KubeConfig config;
	Error err = { 0 };
	assert_int_equal(kubeconfig_load(FIXTURE, NULL, &config, &err), 0);
	assert_string_equal(config.context, "prod");
	assert_string_equal(config.server, "https://10.0.0.1:6443"); /* without the slash */
	assert_string_equal(config.namespace_, "shop");
	assert_memory_equal(config.ca_pem, "-----BEGIN CERTIFICATE-----\n", 28);
	assert_memory_equal(config.cert_pem, "-----BEGIN CERTIFICATE-----\n", 28);
	assert_memory_equal(config.key_pem, "-----BEGIN PRIVATE KEY-----\n", 28);
	assert_non_null(strstr(config.key_pem, "-----END PRIVATE KEY-----\n"));
	assert_null(config.token);
	assert_false(config.insecure);
	kubeconfig_done(&config);
}

static void kubeconfig_context_overrides_the_current_one(void **state)
{
	(void) state;
	KubeConfig config;
	Error err = { 0 };
	assert_int_equal(kubeconfig_load(FIXTURE, "lab", &config, &err), 0);
	assert_string_equal(config.server, "https://lab.example:6443");
	assert_string_equal(config.token, "s3cret-token");
	assert_string_equal(config.namespace_, "default");
	assert_true(config.insecure);
	assert_null(config.ca_pem);
	kubeconfig_done(&config);
	assert_int_equal(kubeconfig_load(FIXTURE, "nosuch", &config, &err), ERR_NOT_FOUND);
	assert_string_equal(err.text, "kubeconfig: no context \"nosuch\"");
}

static void kubeconfig_knows_a_plugin(void **state)
{
	(void) state;
	KubeConfig config;
	Error err = { 0 };
	assert_int_equal(kubeconfig_load(FIXTURE, "cloud", &config, &err), 0);
	assert_non_null(config.exec);
	kubeconfig_done(&config);
}

static void kubeconfig_merges_a_list_first_wins(void **state)
{
	(void) state;
	Folder folder;
	folder_make(&folder);
	const char *one = folder_add(&folder, "one",
		"current-context: a\n"
		"clusters: [{name: c, cluster: {server: 'http://one'}}]\n");
	const char *two = folder_add(&folder, "two",
		"current-context: b\n"
		"clusters: [{name: c, cluster: {server: 'http://two'}}]\n"
		"contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c}}]\n"
		"users: [{name: u, user: {token: t}}]\n");
	char list[512];
	(void) snprintf(list, sizeof list, "%s/missing:%s:%s", folder.path, one, two);
	assert_int_equal(setenv("KUBECONFIG", list, 1), 0);
	KubeConfig config;
	Error err = { 0 };
	assert_int_equal(kubeconfig_load(NULL, NULL, &config, &err), 0);
	assert_string_equal(config.context, "a");
	assert_string_equal(config.server, "http://one");
	assert_string_equal(config.token, "t");
	kubeconfig_done(&config);
	assert_int_equal(unsetenv("KUBECONFIG"), 0);
	folder_remove(&folder);
}

static void kubeconfig_files_are_relative_to_it(void **state)
{
	(void) state;
	Folder folder;
	folder_make(&folder);
	(void) folder_add(&folder, "ca.pem", "-----BEGIN CERTIFICATE-----\nx\n");
	const char *path = folder_add(&folder, "config",
		"current-context: a\n"
		"clusters:\n- name: c\n  cluster: {server: https://c, certificate-authority: ca.pem}\n"
		"contexts:\n- name: a\n  context: {cluster: c, user: u}\n"
		"users:\n- name: u\n  user: {tokenFile: sub/token}\n");
	KubeConfig config;
	Error err = { 0 };
	char want[128];
	assert_int_equal(kubeconfig_load(path, NULL, &config, &err), 0);
	(void) snprintf(want, sizeof want, "%s/sub/token", folder.path);
	assert_string_equal(config.token_file, want);
	assert_string_equal(config.ca_pem, "-----BEGIN CERTIFICATE-----\nx\n");
	kubeconfig_done(&config);
	folder_remove(&folder);
}

static void kubeconfig_errors_name_the_place_and_no_secret(void **state)
{
	(void) state;
	static const struct {
		const char *user, *want;
		int code;
	} cases[] = {
		{ "{client-key-data: aHVudGVyMg==, client-certificate-data: aHVudGVyMg==}", "client-certificate-data", ERR_INVALID },
		{ "{client-certificate-data: '!hunter2'}", "not PEM in base64", ERR_INVALID },
		{ "{username: x, password: hunter2}", "passwords are not supported", ERR_INVALID },
		{ "{as: root, token: hunter2}", "impersonation", ERR_INVALID },
		{ "{token: [hunter2]}", "token is not a string", ERR_INVALID },
		{ "{client-certificate: nosuch.pem, client-key: nosuch.key}", "nosuch.pem", ERR_IO },
		{ "{token: \"hunter2\n", "line", ERR_PARSE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Folder folder;
		folder_make(&folder);
		char text[512];
		(void) snprintf(text, sizeof text, "current-context: a\nclusters: [{name: c, cluster: {server: https://c}}]\n"
		                "contexts: [{name: a, context: {cluster: c, user: u}}]\nusers:\n- name: u\n  user: %s\n", cases[i].user);
		KubeConfig config;
		Error err = { 0 };
		assert_int_equal(kubeconfig_load(folder_add(&folder, "config", text), NULL, &config, &err), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].want));
		assert_null(strstr(err.text, "hunter2"));
		folder_remove(&folder);
	}
}

static void kubeconfig_missing_says_what_to_give(void **state)
{
	(void) state;
	KubeConfig config;
	Error err = { 0 };
	char *home = strdup(getenv("HOME") ? getenv("HOME") : "");
	assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
	(void) unsetenv("KUBECONFIG");
	(void) unsetenv("KUBERNETES_SERVICE_HOST");
	assert_int_equal(kubeconfig_load(NULL, NULL, &config, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "--kubeconfig"));
	assert_int_equal(kubeconfig_load("/nonexistent/config", NULL, &config, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/config"));
	assert_int_equal(setenv("HOME", home, 1), 0);
	free(home);
}

static void yaml_types_scalars_as_the_core_schema_does(void **state)
{
	(void) state;
	static const char text[] = "{a: 1, b: 1.5, c: true, d: 'true', e: ~, f: nan, g: 0x10, h: \"2\", i: [x, {y: z}], j: 1e3, k: }";
	Json *root;
	Error err = { 0 };
	assert_int_equal(yaml_parse(text, strlen(text), &root, &err), 0);
	char *json = json_print(root);
	assert_string_equal(json, "{\"a\":1,\"b\":1.5,\"c\":true,\"d\":\"true\",\"e\":null,\"f\":\"nan\",\"g\":\"0x10\",\"h\":\"2\","
	                    "\"i\":[\"x\",{\"y\":\"z\"}],\"j\":1000,\"k\":null}");
	free(json);
	json_free(root);
}

static void yaml_does_not_grow_without_end(void **state)
{
	(void) state;
	/* nine levels of nine aliases each would be 9^9 values */
	char text[2048] = "a0: &a0 x\n";
	for (int level = 1; level <= 9; level++) {
		char line[128];
		(void) snprintf(line, sizeof line, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", level, level, level - 1,
		                level - 1, level - 1, level - 1, level - 1, level - 1, level - 1, level - 1, level - 1);
		strcat(text, line);
	}
	Json *root;
	Error err = { 0 };
	assert_int_equal(yaml_parse(text, strlen(text), &root, &err), ERR_INVALID);
	assert_int_equal(yaml_parse("a: &x [*x]", 10, &root, &err), ERR_INVALID);
}

static void quantity_reads_the_api_forms(void **state)
{
	(void) state;
	/* wanted: Quantity.MilliValue() of k8s.io/apimachinery, which rounds up */
	static const struct {
		const char *text;
		int64_t milli;
	} cases[] = {
		{ "200m", 200 }, { "1", 1000 }, { "0.5", 500 }, { "1e3", 1000000 }, { "100n", 1 }, { "1500u", 2 }, { "0", 0 },
		{ "128Mi", 134217728000 }, { "64M", 64000000000 }, { "1.5Gi", 1610612736000 }, { "2k", 2000000 }, { "1E", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t milli = -1;
		bool fits = cases[i].milli > 0 || !strcmp(cases[i].text, "0");
		assert_int_equal(quantity_milli(cases[i].text, &milli), fits);
		if (fits)
			assert_int_equal(milli, cases[i].milli);
	}
	int64_t milli;
	assert_false(quantity_milli("", &milli));
	assert_false(quantity_milli("m", &milli));
	assert_false(quantity_milli("1x", &milli));
	assert_false(quantity_milli("nan", &milli));
}

static void time_parse_reads_rfc3339(void **state)
{
	(void) state;
	int64_t ms = 0;
	assert_true(time_parse("2026-11-24T17:11:25Z", &ms));
	assert_int_equal(ms, 1795540285000); /* date -u -d ... +%s */
	assert_true(time_parse("2026-11-24T18:11:25.250+01:00", &ms));
	assert_int_equal(ms, 1795540285250);
	assert_false(time_parse("yesterday", &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kubeconfig_reads_what_kubectl_wrote),
		cmocka_unit_test(kubeconfig_context_overrides_the_current_one),
		cmocka_unit_test(kubeconfig_knows_a_plugin),
		cmocka_unit_test(kubeconfig_merges_a_list_first_wins),
		cmocka_unit_test(kubeconfig_files_are_relative_to_it),
		cmocka_unit_test(kubeconfig_errors_name_the_place_and_no_secret),
		cmocka_unit_test(kubeconfig_missing_says_what_to_give),
		cmocka_unit_test(yaml_types_scalars_as_the_core_schema_does),
		cmocka_unit_test(yaml_does_not_grow_without_end),
		cmocka_unit_test(quantity_reads_the_api_forms),
		cmocka_unit_test(time_parse_reads_rfc3339),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
