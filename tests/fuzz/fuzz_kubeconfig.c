/* A kubeconfig file: a server and a way to sign in, or a refusal. What it would run is not run. */
#include "fuzz.h"
#include "cluster/kubeconfig.h"

#include <stdlib.h>

void fuzz_kubeconfig(const char *bytes, size_t len)
{
	char path[32];
	KubeConfig config = { 0 };
	Error err = { 0 };
	int fd = fuzz_file(bytes, len, path);
	int code = kubeconfig_load(path, NULL, &config, &err);
	if (code != ERR_NOT_FOUND && code != ERR_IO) /* no such context; a certificate's file that is not there */
		fuzz_check(code, &err);
	if (!code && (!config.server || !config.server[0] || !config.namespace_))
		abort();
	if (!code)
		kubeconfig_done(&config);
	fuzz_close(fd);
}

void seed_kubeconfig(StrBuf *to)
{
	fuzz_read("tests/fixtures/kubeconfig.yaml", to);
}
