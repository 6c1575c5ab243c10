/*
 * See kubeconfig.h. Up to FILES_MAX files are parsed and kept side by side; "merging" is looking a name up in each in
 * turn. So an entry's file is known when a relative path in it is to be resolved.
 */
#include "cluster/kubeconfig.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 16, FILE_BYTES = 4 << 20 };

typedef struct File {
	char *path;
	Json *root;
} File;

typedef struct Files {
	File file[FILES_MAX];
	size_t n;
} Files;

typedef struct Entry { /* a named cluster, user or context; lent by Files */
	const char *kind, *name;
	const Json *body;
	const char *path; /* of its file */
} Entry;

static const char ACCOUNT[] = "/var/run/secrets/kubernetes.io/serviceaccount";

/* ---- reading the files ---- */

static int add_file(Files *files, const char *path, Error *err)
{
	StrBuf text = { 0 };
	Error cause = { 0 };
	Json *root = NULL;
	int code = 0;
	if (files->n == FILES_MAX)
		return error_set(err, ERR_INVALID, "KUBECONFIG: more than %d files", FILES_MAX);
	code = mem_read_file(path, FILE_BYTES, &text, err);
	if (!code && yaml_parse(text.data, text.len, &root, &cause))
		code = error_set(err, cause.code, "kubeconfig %s: %s", path, cause.text);
	if (!code && !json_is_object(root) && !json_is_null(root))
		code = error_set(err, ERR_INVALID, "kubeconfig %s: not a mapping of clusters, users and contexts", path);
	char *copy = code ? NULL : strdup(path);
	if (!code && !copy)
		code = error_set(err, ERR_NOMEM, "out of memory");
	strbuf_wipe(&text);
	if (code)
		json_free(root);
	else
		files->file[files->n++] = (File) { copy, root };
	return code;
}

static int add_list(Files *files, const char *list, Error *err)
{
	char *copy = strdup(list), *rest = copy, *path;
	int code = copy ? 0 : error_set(err, ERR_NOMEM, "out of memory");
	while (!code && (path = strsep(&rest, ":")))
		if (*path && !access(path, F_OK))
			code = add_file(files, path, err);
	free(copy);
	return code;
}

static void files_done(Files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->file[i].path);
		json_free(files->file[i].root);
	}
}

static const char *current_context(const Files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const char *name = json_string_or(files->file[i].root, "current-context", "");
		if (*name)
			return name;
	}
	return NULL;
}

/* The first entry of that name in clusters, users or contexts. */
static int find(const Files *files, const char *list, const char *kind, const char *name, Entry *ret, Error *err)
{
	for (size_t i = 0; i < files->n; i++)
		for (const Json *item = json_first(json_get(files->file[i].root, list)); item; item = json_next(item))
			if (!strcmp(json_string_or(item, "name", ""), name)) {
				*ret = (Entry) { kind, name, json_get(item, kind), files->file[i].path };
				return 0;
			}
	return error_set(err, ERR_NOT_FOUND, "kubeconfig: no %s \"%s\"", kind, name);
}

/* ---- one entry's values ---- */

/* A copy of a string value; NULL stays where it is absent or empty. */
static int take(const Entry *entry, const char *key, char **ret, Error *err)
{
	const Json *value = json_get(entry->body, key);
	const char *text = json_string(value);
	if (value && !text && !json_is_null(value))
		return error_set(err, ERR_INVALID, "kubeconfig %s: %s %s: %s is not a string", entry->path, entry->kind,
		                 entry->name, key);
	if (!text || !*text)
		return 0;
	char *copy = strdup(text);
	if (!copy)
		return error_set(err, ERR_NOMEM, "out of memory");
	free(*ret);
	*ret = copy;
	return 0;
}

/* The same for a file's name, made absolute by the folder of the kubeconfig. */
static int take_path(const Entry *entry, const char *key, char **ret, Error *err)
{
	char *name = NULL;
	int code = take(entry, key, &name, err);
	const char *slash = strrchr(entry->path, '/');
	if (code || !name)
		return code;
	if (*name == '/' || !slash) {
		*ret = name;
		return 0;
	}
	if (asprintf(ret, "%.*s%s", (int) (slash - entry->path + 1), entry->path, name) < 0) {
		*ret = NULL;
		code = error_set(err, ERR_NOMEM, "out of memory");
	}
	free(name);
	return code;
}

/* PEM text: embedded under KEY-data, which wins as in kubectl, or in the file named by KEY, which is kept. */
static int take_pem(const Entry *entry, const char *key, char **ret, char **ret_file, Error *err)
{
	char data_key[64], *path = NULL;
	StrBuf text = { 0 };
	Error cause = { 0 };
	size_t len;
	(void) snprintf(data_key, sizeof data_key, "%s-data", key);
	int code = take(entry, data_key, ret, err);
	if (code)
		return code;
	if (*ret && (!base64_decode(*ret, &len) || !strstr(*ret, "-----BEGIN")))
		return error_set(err, ERR_INVALID, "kubeconfig %s: %s %s: %s is not PEM in base64", entry->path,
		                 entry->kind, entry->name, data_key);
	if (*ret)
		return 0;
	code = take_path(entry, key, &path, err);
	if (!code && path && mem_read_file(path, FILE_BYTES, &text, &cause))
		code = error_set(err, cause.code, "kubeconfig %s: %s %s: %s: %s", entry->path, entry->kind, entry->name,
		                 key, cause.text);
	if (code || !path) {
		strbuf_done(&text);
		free(path);
		return code;
	}
	*ret = text.data;
	*ret_file = path;
	return 0;
}

/* What would change the answer to "who are we" or "who is there" must not be passed over in silence. */
static int refuse(const Entry *entry, Error *err)
{
	static const struct {
		const char *key, *remedy;
	} refused[] = {
		{ "auth-provider", "auth providers are not supported; use a client certificate or a token" },
		{ "username", "passwords are not supported; use a client certificate or a token" },
		{ "password", "passwords are not supported; use a client certificate or a token" },
		{ "as", "impersonation is not supported; use that user's own credentials" },
		{ "tls-server-name", "another server name is not supported; use the certificate's name in server" },
		{ "proxy-url", "a proxy in the file is not supported; set HTTPS_PROXY" },
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		const Json *value = json_get(entry->body, refused[i].key);
		if (value && !json_is_null(value))
			return error_set(err, ERR_INVALID, "kubeconfig %s: %s %s: %s: %s", entry->path, entry->kind,
			                 entry->name, refused[i].key, refused[i].remedy);
	}
	return 0;
}

static int read_cluster(const Entry *entry, KubeConfig *config, Error *err)
{
	int code = refuse(entry, err);
	if (!code)
		code = take(entry, "server", &config->server, err);
	if (!code && !config->server)
		code = error_set(err, ERR_INVALID, "kubeconfig %s: cluster %s: no server", entry->path, entry->name);
	if (!code)
		code = take_pem(entry, "certificate-authority", &config->ca_pem, &config->ca_file, err);
	if (code)
		return code;
	for (size_t len = strlen(config->server); len > 0 && config->server[len - 1] == '/'; len--)
		config->server[len - 1] = '\0';
	(void) json_bool(json_get(entry->body, "insecure-skip-tls-verify"), &config->insecure);
	if (config->insecure && config->ca_pem)
		return error_set(err, ERR_INVALID, "kubeconfig %s: cluster %s: insecure-skip-tls-verify beside a certificate "
		                 "authority; remove one of them", entry->path, entry->name);
	return 0;
}

static int read_exec(const Entry *entry, const Json *exec, KubeConfig *config, Error *err)
{
	const char *slash = strrchr(entry->path, '/');
	char folder[4096] = "";
	Error cause = { 0 };
	if (slash)
		(void) snprintf(folder, sizeof folder, "%.*s", (int) (slash - entry->path), entry->path);
	int code = exec_plugin_new(exec, folder, &config->exec, &cause);
	return code ? error_set(err, code, "kubeconfig %s: user %s: %s", entry->path, entry->name, cause.text) : 0;
}

static int read_user(const Entry *entry, KubeConfig *config, Error *err)
{
	int code = refuse(entry, err);
	if (!code)
		code = take_pem(entry, "client-certificate", &config->cert_pem, &config->cert_file, err);
	if (!code)
		code = take_pem(entry, "client-key", &config->key_pem, &config->key_file, err);
	if (!code && !config->cert_pem != !config->key_pem)
		code = error_set(err, ERR_INVALID, "kubeconfig %s: user %s: client-certificate and client-key go together",
		                 entry->path, entry->name);
	if (!code)
		code = take(entry, "token", &config->token, err);
	if (!code)
		code = take_path(entry, "tokenFile", &config->token_file, err);
	const Json *exec = json_get(entry->body, "exec");
	if (!code && exec && !json_is_null(exec) && !config->token && !config->token_file && !config->cert_pem)
		code = read_exec(entry, exec, config, err);
	return code;
}

static int read_context(const Files *files, const char *name, KubeConfig *config, Error *err)
{
	Entry context, cluster, user;
	if (!name)
		name = current_context(files);
	if (!name)
		return error_set(err, ERR_INVALID, "kubeconfig %s: no current-context; give --context", files->file[0].path);
	int code = find(files, "contexts", "context", name, &context, err);
	const char *cluster_name = code ? "" : json_string_or(context.body, "cluster", "");
	const char *user_name = code ? "" : json_string_or(context.body, "user", "");
	if (!code)
		code = find(files, "clusters", "cluster", cluster_name, &cluster, err);
	if (!code)
		code = read_cluster(&cluster, config, err);
	if (!code && *user_name)
		code = find(files, "users", "user", user_name, &user, err);
	if (!code && *user_name)
		code = read_user(&user, config, err);
	if (!code)
		code = take(&context, "namespace", &config->namespace_, err);
	if (!code && !(config->context = strdup(name)))
		code = error_set(err, ERR_NOMEM, "out of memory");
	return code;
}

/* ---- a pod's service account ---- */

static int read_account(KubeConfig *config, Error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	StrBuf text = { 0 };
	char path[128];
	if (!host || !*host)
		return error_set(err, ERR_NOT_FOUND, "no kubeconfig and not in a cluster; give --kubeconfig FILE or set KUBECONFIG");
	bool is_v6 = strchr(host, ':') != NULL;
	bool ok = asprintf(&config->server, "https://%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
	                   port && *port ? port : "443") >= 0;
	ok = ok && asprintf(&config->token_file, "%s/token", ACCOUNT) >= 0;
	ok = ok && asprintf(&config->ca_file, "%s/ca.crt", ACCOUNT) >= 0;
	config->context = strdup("in-cluster");
	if (!ok || !config->context)
		return error_set(err, ERR_NOMEM, "out of memory");
	int code = mem_read_file(config->ca_file, FILE_BYTES, &text, err);
	if (!code) {
		config->ca_pem = text.data;
		text = (StrBuf) { 0 };
		(void) snprintf(path, sizeof path, "%s/namespace", ACCOUNT);
		if (!mem_read_file(path, 256, &text, NULL) && text.len > 0) /* absent: "default" */
			config->namespace_ = strndup(text.data, strcspn(text.data, " \r\n"));
	}
	strbuf_done(&text);
	return code;
}

/* ---- all of it ---- */

static int add_default(Files *files, Error *err)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	char path[4096];
	if (list && *list)
		return add_list(files, list, err);
	(void) snprintf(path, sizeof path, "%s/.kube/config", home ? home : "");
	return home && !access(path, F_OK) ? add_file(files, path, err) : 0;
}

int kubeconfig_load(const char *path, const char *context, KubeConfig *ret_config, Error *err)
{
	Files files = { 0 };
	KubeConfig config = { 0 };
	int code = path ? add_file(&files, path, err) : add_default(&files, err);
	if (!code)
		code = files.n > 0 ? read_context(&files, context, &config, err) : read_account(&config, err);
	if (!code && !config.namespace_ && !(config.namespace_ = strdup("default")))
		code = error_set(err, ERR_NOMEM, "out of memory");
	files_done(&files);
	if (code)
		kubeconfig_done(&config);
	else
		*ret_config = config;
	return code;
}

void kubeconfig_done(KubeConfig *config)
{
	str_wipe(&config->context);
	str_wipe(&config->server);
	str_wipe(&config->namespace_);
	str_wipe(&config->ca_pem);
	str_wipe(&config->cert_pem);
	str_wipe(&config->key_pem);
	str_wipe(&config->ca_file);
	str_wipe(&config->cert_file);
	str_wipe(&config->key_file);
	str_wipe(&config->token);
	str_wipe(&config->token_file);
	exec_plugin_free(config->exec);
	config->exec = NULL;
	config->insecure = false;
}
