/*
 * Writes a recording of plausible views to stdout, for golden screens and screenshots.
 *   tui_feeds all      one frame: training half done, a live target, the store
 *   tui_feeds start    one frame: nothing has happened yet
 *   tui_feeds targets  one frame: seven targets of a cluster in all kinds of states
 *   tui_feeds demo     sixty frames, half a second apart, of a run that learns
 */
#include "tests/fakes/views.h"
#include "tui/feed_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Views {
	TrainView train;
	LiveView live;
	ArchiveAnswer runs, run;
	PolicyView policy;
} Views;

static int add_store(Views *v, StrBuf *out)
{
	views_fill_runs(&v->runs);
	int code = feed_record(&(FeedFrame) { .archive = &v->runs }, out);
	for (int i = 0; i < 4 && !code; i++) {
		views_fill_run(&v->run, v->runs.row[i].id);
		code = feed_record(&(FeedFrame) { .archive = &v->run }, out);
	}
	static const int64_t PAIR[] = { 137, 136, 135, 133, 132, 131 };
	views_fill_pair(&v->run, PAIR, 6);
	code = code ? code : feed_record(&(FeedFrame) { .archive = &v->run }, out);
	views_fill_policy(&v->policy);
	code = code ? code : feed_record(&(FeedFrame) { .policy = &v->policy }, out);
	views_fill_log(&v->run);
	return code ? code : feed_record(&(FeedFrame) { .archive = &v->run }, out);
}

static int add_targets(StrBuf *out)
{
	enum { N = 7 };
	LiveView *view = calloc(N, sizeof *view);
	const LiveView *target[N];
	for (int i = 0; view && i < N; i++) {
		views_fill_target(&view[i], i);
		target[i] = &view[i];
	}
	int code = view ? feed_record(&(FeedFrame) { .live = target[0], .target = target, .n_targets = N,
		.wall_ms = views_wall_ms() }, out) : 1;
	free(view);
	return code;
}

/* Nine of one ReplicaSet: the youngest has just come and was not measured yet. */
static void fill_pods(LiveView *view)
{
	static const struct {
		const char *name;
		float cpu_cores;
		int64_t age_s;
	} PODS[] = {
		{ "x2kqp", .36f, 90061 }, { "r8w4n", .35f, 90060 }, { "5tzlm", .34f, 7261 }, { "hv9cd", .37f, 5400 }, { "q7fsb", .35f, 3125 },
		{ "m4xgj", .36f, 1500 }, { "k6pwt", .33f, 640 }, { "zd3hn", .35f, 95 }, { "b8rqv", NAN, 12 },
	};
	view->n_pods = sizeof PODS / sizeof *PODS;
	for (int i = 0; i < view->n_pods; i++) {
		view->pod[i] = (PodView) { .is_ready = !isnan(PODS[i].cpu_cores), .cpu_cores = PODS[i].cpu_cores, .cpu_request_cores = .5f,
			.age_ms = 1000 * PODS[i].age_s };
		(void) snprintf(view->pod[i].name, sizeof view->pod[i].name, "7d4b9c6f5-%s", PODS[i].name);
	}
}

static int add_frame(Views *v, double progress, int n_history, bool has_pods, int64_t wall_ms, StrBuf *out)
{
	views_fill_train(&v->train, progress);
	views_fill_live(&v->live, n_history);
	if (has_pods)
		fill_pods(&v->live);
	return feed_record(&(FeedFrame) { .train = &v->train, .live = &v->live, .wall_ms = wall_ms }, out);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	Views *v = calloc(1, sizeof *v);
	StrBuf out = { 0 };
	int code = v ? 0 : 1;
	if (!code && strcmp(what, "start") == 0)
		code = add_frame(v, 0, 0, false, views_wall_ms(), &out);
	else if (!code && strcmp(what, "targets") == 0)
		code = add_targets(&out);
	else if (!code && strcmp(what, "all") == 0)
		code = add_frame(v, .62, 540, true, views_wall_ms(), &out);
	for (int i = 0; !code && strcmp(what, "demo") == 0 && i < 60; i++)
		code = add_frame(v, .02 + .016 * i, 480 + i, false, views_wall_ms() + 500 * i, &out);
	if (!code && strcmp(what, "start") != 0)
		code = add_store(v, &out);
	if (!out.len)
		(void) fprintf(stderr, "tui_feeds: say all, start, targets or demo\n");
	else if (fwrite(out.data, 1, out.len, stdout) != out.len)
		code = 1;
	strbuf_done(&out);
	free(v);
	return code || argc < 2;
}
