/* The free functions of the interfaces: they accept NULL, so that clean-up needs no ifs. */
#include "base/actuator.h"
#include "base/archive.h"
#include "base/cluster.h"
#include "base/feed.h"
#include "base/metrics.h"
#include "base/policy.h"
#include "base/sink.h"

void policy_free(Policy *policy)
{
	if (policy)
		policy->ops->free(policy);
}

int metrics_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
                    Error *err)
{
	if (!metrics->ops->history)
		return error_set(err, ERR_NOT_FOUND, "%s: keeps no history", metrics->ops->name);
	return metrics->ops->history(metrics, target, now_ms, step_ms, n, ret_samples, err);
}

void metrics_free(Metrics *metrics)
{
	if (metrics)
		metrics->ops->free(metrics);
}

void actuator_free(Actuator *actuator)
{
	if (actuator)
		actuator->ops->free(actuator);
}

void sink_free(Sink *sink)
{
	if (sink)
		sink->ops->free(sink);
}

void archive_free(Archive *archive)
{
	if (archive)
		archive->ops->free(archive);
}

void feed_free(Feed *feed)
{
	if (feed)
		feed->ops->free(feed);
}

void cluster_free(Cluster *cluster)
{
	if (cluster)
		cluster->ops->free(cluster);
}

const char *run_sort_text(RunSort sort)
{
	static const char *const WORDS[SORT_COUNT] = { "id", "name", "status", "steps", "reward", "eval", "start" };
	return sort < SORT_COUNT ? WORDS[sort] : "?";
}
