/*
 * Credentials from an `exec` plugin of a kubeconfig (client.authentication.k8s.io): a program that prints a token or a client
 * certificate. It is started by its argv, never by a shell; its answer is kept until it expires. No secret is ever in an error.
 */
#ifndef MAESTRO_CLUSTER_CREDENTIAL_H
#define MAESTRO_CLUSTER_CREDENTIAL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

typedef struct ExecPlugin ExecPlugin;

/* Of a user's `exec` in a kubeconfig that lies in folder. ERR_INVALID names the key that is wrong; ERR_NOMEM. */
int exec_plugin_new(const Json *exec, const char *folder, ExecPlugin **ret_plugin, Error *err);
void exec_plugin_free(ExecPlugin *plugin); /* wipes; accepts NULL */

typedef struct ExecCredential { /* owned; NULL: not given */
	char *token, *cert_pem, *key_pem;
} ExecCredential;

/* A copy of the credential, from the last run where it is still valid and is_refused is false. The plugin has 30 s. Any thread.
 * ERR_FAILED (it cannot be started, or failed), ERR_TIMEOUT, ERR_PARSE (not an ExecCredential). */
int exec_plugin_get(ExecPlugin *plugin, Clock *clock, bool is_refused, ExecCredential *ret, Error *err);
void exec_credential_done(ExecCredential *credential);

#endif
