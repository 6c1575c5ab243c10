/* The text of queries; see prom_query.h. */
#include "cluster/prom_query.h"

#include <math.h>
#include <string.h>

static void add_window(StrBuf *to, double seconds)
{
	long whole = lround(seconds);
	if (whole % 60 == 0)
		strbuf_addf(to, "%ldm", whole / 60);
	else
		strbuf_addf(to, "%lds", whole);
}

/* A name within a regular expression within a PromQL string: a dot is itself. */
static void add_pattern(StrBuf *to, const char *name)
{
	for (; *name; name++)
		strbuf_addf(to, *name == '.' ? "\\\\%c" : "%c", *name);
}

void prom_expand(StrBuf *promql, const char *template, const Target *target, double rate_s, double latency_s)
{
	prom_expand_pods(promql, template, target, NULL, rate_s, latency_s);
}

void prom_expand_pods(StrBuf *promql, const char *template, const Target *target, const char *pods, double rate_s, double latency_s)
{
	for (const char *dollar; (dollar = strchr(template, '$'));) {
		size_t word = 1 + strspn(dollar + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		strbuf_add(promql, template, (size_t) (dollar - template));
		if (!strncmp(dollar, "$NS", word))
			strbuf_addf(promql, "%s", target->namespace_);
		else if (!strncmp(dollar, "$NAME", word))
			strbuf_addf(promql, "%s", target->name);
		else if (!strncmp(dollar, "$POD", word) && pods)
			strbuf_addf(promql, "%s", pods);
		else if (!strncmp(dollar, "$POD", word))
			add_pattern(promql, target->name);
		else
			add_window(promql, strncmp(dollar, "$RATE", word) ? latency_s : rate_s);
		template = dollar + word;
	}
	strbuf_addf(promql, "%s", template);
}

static bool is_dns_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");
	return n > 0 && !name[n];
}

bool prom_can_name(const Target *target)
{
	return is_dns_name(target->namespace_) && is_dns_name(target->name);
}
