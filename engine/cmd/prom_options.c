/* See prom_options.h. */
#include "cmd/prom_options.h"

#include <string.h>

PromConfig prom_options_config(const PromOptions *options)
{
	PromConfig config;
	prom_config_default(&config);
	config.url = options->url;
	config.latency_url = options->latency_url;
	config.queries = options->queries;
	config.access = (EndpointConfig) {
		.bearer_file = options->token_file, .user = options->user, .password_file = options->password_file,
		.ca_file = options->ca, .cert_file = options->cert, .key_file = options->key, .n_headers = options->header.n,
	};
	memcpy(config.access.header, options->header.item, options->header.n * sizeof *options->header.item);
	return config;
}
