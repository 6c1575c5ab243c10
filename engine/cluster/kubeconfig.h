/*
 * Where the Kubernetes API is and who we are: a kubeconfig as kubectl reads it, or a pod's own service account.
 */
#ifndef MAESTRO_CLUSTER_KUBECONFIG_H
#define MAESTRO_CLUSTER_KUBECONFIG_H

#include "base/err.h"
#include "cluster/credential.h"

#include <stdbool.h>

typedef struct KubeConfig { /* strings are owned; NULL: not given */
	char *context;    /* "in-cluster" for a service account */
	char *server;     /* "https://host:port", without a slash at the end */
	char *namespace_; /* never NULL: "default" where the context has none */
	char *ca_pem, *cert_pem, *key_pem;
	char *ca_file, *cert_file, *key_file; /* that these came from, read anew by the client; NULL: embedded */
	char *token;
	char *token_file; /* read anew by the client; wins over token */
	ExecPlugin *exec; /* lent to clients: it outlives them */
	bool is_readonly; /* of --readonly, set by the caller: its clients send nothing but GET */
	bool insecure;    /* the file says insecure-skip-tls-verify: the caller warns */
} KubeConfig;

/*
 * path     of --kubeconfig, NULL: the list in KUBECONFIG (missing files are passed over; the first that names a
 *          cluster, user, context or current-context wins), else ~/.kube/config, else the pod's service account
 * context  of --context, NULL: the current one
 *
 * File names inside are relative to the file that has them. What would change who we are and is not supported
 * (auth-provider plugins, passwords, impersonation) is refused by name rather than left out. No secret is ever
 * in an error. ERR_IO, ERR_PARSE, ERR_INVALID, ERR_NOT_FOUND (no configuration at all, or no such context), ERR_NOMEM.
 */
int kubeconfig_load(const char *path, const char *context, KubeConfig *ret_config, Error *err);

/* Wipes the secrets and frees the strings. */
void kubeconfig_done(KubeConfig *config);

#endif
