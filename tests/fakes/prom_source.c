/* See prom_source.h. */
#include "prom_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void prom_source_begin(PromSource *source, FakeHandler *handler, void *context, const char *below)
{
	Error err = { 0 };
	PromConfig config;
	*source = (PromSource) { .server = fake_server_start(handler, context) };
	clock_init_system(&source->clock);
	source->kube_config.server = strdup(fake_server_url(source->server));
	int code = kube_client_new(&source->kube_config, &source->clock, &source->kube, &err);
	char *url = fake_text("%s%s", fake_server_url(source->server), below);
	prom_config_default(&config);
	config.url = url;
	config.kube = source->kube;
	config.clock = &source->clock;
	if (code || prom_metrics_new(&config, &source->metrics, &err)) {
		(void) fprintf(stderr, "prom_source_begin: %s\n", err.text);
		abort();
	}
	free(url);
}

void prom_source_end(PromSource *source)
{
	metrics_free(source->metrics);
	kube_client_free(source->kube);
	kubeconfig_done(&source->kube_config);
	fake_server_stop(source->server);
}
