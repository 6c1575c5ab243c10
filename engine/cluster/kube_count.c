/* See kube_count.h. A path is /api/V/... or /apis/GROUP/V/..., then namespaces/NS where it has one, then resource[/NAME[/SUB]]. */
#include "cluster/kube_count.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PARTS = 8, PART_MAX = 64 };

static size_t split(const char *path, char part[PARTS][PART_MAX])
{
	size_t n = 0;
	while (n < PARTS && *path == '/') {
		size_t len = strcspn(path + 1, "/?");
		(void) snprintf(part[n++], PART_MAX, "%.*s", (int) len, path + 1);
		path += 1 + len;
	}
	return n;
}

void kube_count(Telemetry *telemetry, const char *method, const char *path, int status)
{
	char part[PARTS][PART_MAX], resource[2 * PART_MAX + 2] = "other", verb[16] = "", code[16] = "none";
	if (!telemetry)
		return;
	size_t n = split(path, part), at = n > 0 && !strcmp(part[0], "api") ? 2 : n > 0 && !strcmp(part[0], "apis") ? 3 : n;
	bool is_namespace = at + 2 < n && !strcmp(part[at], "namespaces");
	at += is_namespace ? 2 : 0;
	if (at < n)
		(void) snprintf(resource, sizeof resource, "%s%s%s", part[at], at + 2 < n ? "/" : "", at + 2 < n ? part[at + 2] : "");
	for (size_t i = 0; method[i] && i + 1 < sizeof verb; i++)
		verb[i] = (char) tolower((unsigned char) method[i]);
	if (status > 0)
		(void) snprintf(code, sizeof code, "%d", status);
	telemetry_count(telemetry, TELEMETRY_API_REQUESTS, verb, resource, code);
}
