/* `maestro autoscaler` as a process: it scales by a suggestion server's word, holds without one, shows what it does and obeys. */
#include "tests/fakes/child.h"
#include "tests/fakes/fake_cluster.h"

#include "base/http.h"
#include "base/mem.h"
#include "cluster/attach.h"
#include "base/json.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MODEL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct Fixture {
	FakeCluster cluster;
	const char *_Atomic extra[1][2];
	char dir[64], db[96];
	Child child;
	HttpClient *client;
	HttpResponse response;
	Json *json; /* of the last answer */
} Fixture;

/* The fixture in the caller's memory, since the scripted server keeps pointers into it. */
static void begin(Fixture *f, const char *suggestion, const char *const *more)
{
	*f = (Fixture) { .dir = "/tmp/test_autoscaler_XXXXXX" };
	assert_non_null(mkdtemp(f->dir));
	(void) snprintf(f->db, sizeof f->db, "%s/m.db", f->dir);
	fake_cluster_start(&f->cluster);
	atomic_store(&f->extra[0][0], "/suggestion");
	atomic_store(&f->extra[0][1], suggestion);
	f->cluster.extra = f->extra;
	f->cluster.n_extra = suggestion ? 1 : 0; /* else 404 */
	const char *url = fake_cluster_url(&f->cluster);
	const char *args[32] = { "autoscaler", "--listen", "127.0.0.1:0", "--suggestion-url", url, "--prometheus", url, "--kubeconfig",
	                         f->cluster.kubeconfig, "--deployment", "shop/web", "--max-replicas", "4", "--interval", "1s", "--db", f->db,
	                         "--json" };
	for (size_t i = 0; more && more[i]; i++)
		args[18 + i] = more[i];
	f->child = child_start(args);
	assert_int_equal(http_client_new(NULL, &f->client, NULL), 0);
}

static void end(Fixture *f)
{
	char command[160];
	assert_int_equal(child_end(&f->child, SIGTERM), 128 + SIGTERM);
	http_client_free(f->client);
	http_response_done(&f->response);
	json_free(f->json);
	fake_cluster_stop(&f->cluster);
	(void) snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
}

static int ask(Fixture *f, const char *method, const char *path, const char *body)
{
	char url[256];
	Error err = { 0 };
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d%s", f->child.port, path);
	if (http_request(f->client, &(HttpRequest) { .method = method, .url = url, .body = body, .body_len = body ? strlen(body) : 0 },
	                 &f->response, &err))
		fail_msg("%s", err.text);
	json_free(f->json);
	f->json = NULL;
	(void) json_parse(f->response.body.data, f->response.body.len, &f->json, NULL);
	return f->response.status;
}

static const Json *target(Fixture *f)
{
	assert_int_equal(ask(f, "GET", "/v1/snapshot", NULL), 200);
	return json_first(json_get(f->json, "targets"));
}

/* Waits until /status names a state, for 10 s. */
static void wait_state(Fixture *f, const char *state)
{
	for (int i = 0; i < 500; i++) {
		assert_int_equal(ask(f, "GET", "/status", NULL), 200);
		if (!strcmp(json_string_or(json_first(json_get(f->json, "targets")), "state", ""), state))
			return;
		(void) nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
	}
	fail_msg("never %s: %s", state, f->response.body.data);
}

static void it_scales_by_the_suggestion_and_shows_it(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, "{\"action\":2,\"model\":\"" MODEL "\"}", NULL);
	wait_state(&f, "Active");
	assert_int_equal(atomic_load(&f.cluster.replicas), 3);
	const Json *view = target(&f);
	assert_string_equal(json_string_or(view, "target.name", ""), "web");
	assert_string_equal(json_string_or(view, "policy", ""), "suggestion");
	/* a decision's line is the contract's */
	assert_int_equal(ask(&f, "GET", "/v1/decisions?since=0", NULL), 200);
	char *line = strndup(f.response.body.data, strcspn(f.response.body.data, "\n"));
	Json *first = NULL;
	assert_int_equal(json_parse(line, strlen(line), &first, NULL), 0);
	assert_float_equal(json_number_or(first, "cpu_usage", -1), 30, 1e-4);
	assert_int_equal(json_int_or(first, "desired", -1), 3);
	bool applied = false;
	assert_true(json_bool(json_get(first, "applied"), &applied) && applied);
	/* and it is made again from what the line has */
	assert_string_equal(json_string_or(first, "policy", ""), "suggestion");
	assert_string_equal(json_string_or(first, "model", ""), MODEL);
	assert_int_equal(json_len(json_get(first, "observation")), 5);
	assert_int_equal(json_len(json_get(first, "mask")), 3);
	assert_true(json_number_or(first, "age_ms.cpu_usage", -1) >= 0);
	assert_true(json_number_or(first, "duration_ms.query", -1) >= 0);
	assert_true(json_string_or(first, "resource_version", "")[0] != '\0');
	json_free(first);
	free(line);
	assert_int_equal(ask(&f, "GET", "/v1/decisions?since=99999999999999", NULL), 200);
	assert_int_equal(f.response.body.len, 0);
	/* conditions */
	assert_int_equal(ask(&f, "GET", "/status?deployment=web&namespace=shop", NULL), 200);
	const Json *conditions = json_get(json_first(json_get(f.json, "targets")), "conditions");
	assert_string_equal(json_string_or(json_first(conditions), "type", ""), "ScalingActive");
	assert_string_equal(json_string_or(json_first(conditions), "status", ""), "True");
	assert_int_equal(ask(&f, "GET", "/status?deployment=other", NULL), 200);
	assert_null(json_first(json_get(f.json, "targets")));
	end(&f);
}

static void without_a_suggestion_it_holds_and_says_why(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, NULL, NULL);
	for (int i = 0; i < 500 && (ask(&f, "GET", "/v1/decisions", NULL), !f.response.body.len); i++)
		(void) nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
	assert_non_null(strstr(f.response.body.data, "\"reason\":\"ModelUnavailable\""));
	assert_non_null(strstr(f.response.body.data, "suggestion server: HTTP 404"));
	assert_non_null(strstr(f.response.body.data, "\"action\":null"));
	assert_int_equal(atomic_load(&f.cluster.writes), 0);
	end(&f);
}

/* CONTROL B.5: one record a decision on stderr, as logfmt or JSON. */
static void the_log_has_a_record_a_decision(void **state)
{
	static const char *const cases[][2] = {
		{ "json", "{\"level\":\"info\",\"msg\":\"decision\",\"time\":\"" },
		{ "logfmt", "level=info msg=decision time=" },
	};
	(void) state;
	for (size_t i = 0; i < 2; i++) {
		Fixture f;
		begin(&f, "{\"action\":1}", (const char *const[]) { "--log-format", cases[i][0], NULL });
		child_wait_log(&f.child, cases[i][1]);
		end(&f);
	}
}

static void metrics_are_those_of_control_b8(void **state)
{
	static const char *const lines[] = {
		"maestro_replicas{namespace=\"shop\",deployment=\"web\",kind=\"spec\"} ",
		"maestro_replicas{namespace=\"shop\",deployment=\"web\",kind=\"ready\"} 2\n",
		"maestro_replicas{namespace=\"shop\",deployment=\"web\",kind=\"desired\"} 3\n",
		"maestro_replicas_bound{namespace=\"shop\",deployment=\"web\",bound=\"max\"} 4\n",
		"maestro_observation{namespace=\"shop\",deployment=\"web\",feature=\"cpu_usage\"} 30",
		"maestro_sample_age_seconds{namespace=\"shop\",deployment=\"web\",metric=\"cpu\"} ",
		"maestro_state{namespace=\"shop\",deployment=\"web\",state=\"Active\"} 1\n",
		"maestro_state{namespace=\"shop\",deployment=\"web\",state=\"Hold\"} 0\n",
		"maestro_action_probability{namespace=\"shop\",deployment=\"web\",action=\"up\"} ",
		"maestro_slo_limit_seconds{namespace=\"shop\",deployment=\"web\",limit=\"soft\"} 0.25\n",
		"maestro_decisions_total{namespace=\"shop\",deployment=\"web\",policy=\"suggestion\",action=\"up\",applied=\"true\"} 1\n",
		"maestro_scale_total{namespace=\"shop\",deployment=\"web\",direction=\"up\",outcome=\"ok\"} 1\n",
		"maestro_pod_seconds_total{namespace=\"shop\",deployment=\"web\"} ",
		"maestro_slo_violation_seconds_total{namespace=\"shop\",deployment=\"web\",limit=\"hard\"} 0\n",
		"maestro_queries_total{backend=\"suggestion\",outcome=\"ok\"} ",
		"maestro_queries_total{backend=\"prometheus\",outcome=\"ok\"} ",
		"maestro_api_requests_total{verb=\"put\",resource=\"deployments/scale\",code=\"200\"} 1\n",
		"maestro_cycle_duration_seconds_bucket{namespace=\"shop\",deployment=\"web\",le=\"0.001\"} ",
		"maestro_query_duration_seconds_count{backend=\"prometheus\"} ",
		"maestro_records_lost_total 0\n",
		"maestro_build_info{version=",
		"maestro_model_info{namespace=\"shop\",deployment=\"web\",sha256=\"" MODEL "\",name=\"suggestion\",observation=\"\"} 1\n",
	};
	Fixture f;
	(void) state;
	begin(&f, "{\"action\":2,\"probabilities\":[0.1,0.2,0.7],\"model\":\"" MODEL "\"}", (const char *const[]) { "--latency-soft", "250", "--interval", "600s", NULL });
	wait_state(&f, "Active");
	assert_int_equal(ask(&f, "GET", "/metrics", NULL), 200);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!strstr(f.response.body.data, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], f.response.body.data);
	if (system("command -v promtool >/dev/null") == 0) {
		FILE *tool = popen("promtool check metrics 2>&1", "w");
		assert_non_null(tool);
		(void) fwrite(f.response.body.data, 1, f.response.body.len, tool);
		assert_int_equal(pclose(tool), 0);
	}
	end(&f);
}

/* The disk that the store is on is full, and then has room again. */
static void what_is_not_recorded_is_said(void **state)
{
	Fixture f;
	(void) state;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* the child's too */
	begin(&f, "{\"action\":1}", NULL);
	wait_state(&f, "Active");
	const struct rlimit none = { 1, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	assert_int_equal(prlimit(f.child.pid, RLIMIT_FSIZE, &none, NULL), 0);
	child_wait_log(&f.child, "without being recorded: ");
	do
		assert_int_equal(ask(&f, "GET", "/metrics", NULL), 200);
	while (strstr(f.response.body.data, "maestro_records_lost_total 0\n")); /* until the next cycle */
	assert_int_equal(prlimit(f.child.pid, RLIMIT_FSIZE, &all, NULL), 0);
	child_wait_log(&f.child, "the store takes records again");
	wait_state(&f, "Active");
	end(&f);
	(void) signal(SIGXFSZ, SIG_DFL);
}

static void a_command_is_audited_and_answered(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, "{\"action\":1}", NULL);
	wait_state(&f, "Active");
	assert_int_equal(ask(&f, "POST", "/v1/command", "{\"kind\":\"override\",\"namespace\":\"shop\",\"deployment\":\"web\",\"replicas\":4,\"seen\":2,"
	                                               "\"hold_ms\":60000,\"reason\":\"sale\",\"who\":\"ann\",\"id\":77}"), 202);
	wait_state(&f, "Manual");
	assert_int_equal(atomic_load(&f.cluster.replicas), 4);
	const Json *answer = NULL;
	for (const Json *a = json_first(json_get(target(&f), "answers.answer")); a; a = json_next(a))
		if (json_int_or(a, "id", 0) == 77)
			answer = a;
	assert_non_null(answer);
	assert_int_equal(json_int_or(answer, "code", -1), 0);
	assert_int_equal(ask(&f, "POST", "/v1/command", "{\"kind\":\"resume\",\"namespace\":\"shop\",\"deployment\":\"web\",\"who\":\"ann\"}"), 202);
	wait_state(&f, "Active");
	/* refused before any loop hears of it */
	assert_int_equal(ask(&f, "POST", "/v1/command", "{\"kind\":\"override\",\"namespace\":\"shop\",\"deployment\":\"web\",\"replicas\":4}"), 400);
	assert_int_equal(ask(&f, "POST", "/v1/command", "{\"kind\":\"resume\",\"namespace\":\"shop\",\"deployment\":\"cart\",\"who\":\"ann\"}"), 404);
	assert_int_equal(ask(&f, "POST", "/v1/command", "{\"kind\":\"delete\",\"who\":\"ann\"}"), 400);
	/* the row is in the store */
	char command[256];
	(void) snprintf(command, sizeof command, "%s/maestro runs show 1 --db %s --json | grep -q '\"who\":\"ann\"'",
	                getenv("MAESTRO_TEST_BUILD") ? getenv("MAESTRO_TEST_BUILD") : "build", f.db);
	assert_int_equal(system(command), 0);
	end(&f);
}

/* An address of this machine that is not the loopback; false: it has none. */
static bool find_address(char *text, size_t size)
{
	struct ifaddrs *list = NULL;
	bool is_found = false;
	if (getifaddrs(&list))
		return false;
	for (const struct ifaddrs *at = list; at && !is_found; at = at->ifa_next)
		is_found = at->ifa_addr && at->ifa_addr->sa_family == AF_INET && !(at->ifa_flags & IFF_LOOPBACK) &&
		           !getnameinfo(at->ifa_addr, sizeof(struct sockaddr_in), text, (socklen_t) size, NULL, 0, NI_NUMERICHOST);
	freeifaddrs(list);
	return is_found;
}

/* Whoever can reach it from elsewhere could scale: not without a token. */
static void commands_from_elsewhere_want_a_token(void **state)
{
	static const char command[] = "{\"kind\":\"pause\",\"namespace\":\"shop\",\"deployment\":\"web\",\"who\":\"x\"}";
	Fixture f;
	char address[64], url[128];
	(void) state;
	if (!find_address(address, sizeof address))
		skip();
	begin(&f, "{\"action\":1}", (const char *const[]) { "--listen", "0.0.0.0:0", NULL });
	wait_state(&f, "Active");
	(void) snprintf(url, sizeof url, "http://%s:%d/v1/command", address, f.child.port);
	assert_int_equal(http_request(f.client, &(HttpRequest) { .method = "POST", .url = url, .body = command, .body_len = sizeof command - 1 },
	                              &f.response, NULL), 0);
	assert_int_equal(f.response.status, 403);
	assert_int_equal(ask(&f, "POST", "/v1/command", command), 202);
	end(&f);
}

/* Whoever probes it sees a process that waits, not a dead one; and a signal ends the wait. */
static void without_the_api_it_is_alive_and_not_ready(void **state)
{
	Fixture f = { .dir = "/tmp/test_autoscaler_XXXXXX" };
	(void) state;
	assert_non_null(mkdtemp(f.dir));
	(void) snprintf(f.db, sizeof f.db, "%s/m.db", f.dir);
	fake_cluster_start(&f.cluster);
	char *url = strdup(fake_cluster_url(&f.cluster));
	fake_server_stop(f.cluster.server); /* its port refuses from now on */
	f.cluster.server = NULL;
	f.child = child_start((const char *const[]) { "autoscaler", "--listen", "127.0.0.1:0", "--suggestion-url", url, "--prometheus", url,
	                                              "--kubeconfig", f.cluster.kubeconfig, "--deployment", "shop/web", "--max-replicas", "4",
	                                              "--db", f.db, NULL });
	assert_int_equal(http_client_new(NULL, &f.client, NULL), 0);
	assert_int_equal(ask(&f, "GET", "/healthz", NULL), 200);
	assert_int_equal(ask(&f, "GET", "/readyz", NULL), 503);
	assert_int_equal(ask(&f, "GET", "/metrics", NULL), 200);
	assert_int_equal(ask(&f, "GET", "/v1/snapshot", NULL), 200);
	end(&f);
	free(url);
}

/* Lends frames until the first target is in a state, for 10 s; the frame is the caller's to release. */
static FeedFrame await(Feed *feed, TargetState state)
{
	for (int i = 0; i < 500; i++) {
		FeedFrame frame;
		assert_int_equal(feed->ops->next(feed, &frame), 0);
		if (frame.live && frame.live->state == state)
			return frame;
		feed->ops->release(feed, &frame);
		(void) nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
	}
	fail_msg("never %s", state_text(state));
	return (FeedFrame) { 0 };
}

/* A console over a running autoscaler: sees its target, and its command is done and audited there. */
static void a_console_attaches_and_overrides(void **state)
{
	Fixture f;
	Feed *feed = NULL;
	Clock clock;
	Wake wake;
	Error err = { 0 };
	char url[64];
	int64_t id = 0;
	(void) state;
	begin(&f, "{\"action\":1}", NULL);
	clock_init_system(&clock);
	assert_int_equal(wake_init(&wake), 0);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/", f.child.port);
	const AttachConfig config = { .server = { .url = url }, .clock = &clock, .wake = &wake };
	if (attach_feed_new(&config, &feed, &err))
		fail_msg("%s", err.text);
	assert_true(feed->is_remote);
	FeedFrame frame = await(feed, STATE_ACTIVE);
	assert_int_equal(frame.n_targets, 1);
	assert_string_equal(frame.live->target.name, "web");
	assert_float_equal(frame.live->last.sample.latency_ms, 200, 0);
	assert_true(frame.live->n_history > 0);
	assert_true(llabs(frame.wall_ms - clock_wall_ms(&clock)) < 5000);
	feed->ops->release(feed, &frame);
	Command command = { .kind = COMMAND_LIVE_OVERRIDE, .who = "bo", .u.override_ = { .replicas = 4, .hold_ms = 60000, .seen = 2 } };
	assert_int_equal(feed->ops->send(feed, &command, &id), 0);
	frame = await(feed, STATE_MANUAL);
	assert_int_equal(frame.live->answers.answer[frame.live->answers.n - 1].id, id);
	assert_int_equal(frame.live->answers.answer[frame.live->answers.n - 1].code, 0);
	assert_string_equal(frame.live->manual_who, "bo");
	assert_int_equal(atomic_load(&f.cluster.replicas), 4);
	feed->ops->release(feed, &frame);
	/* what a recording or a trainer would be asked is refused here */
	assert_int_equal(feed->ops->send(feed, &(Command) { .kind = COMMAND_TRAIN_PAUSE }, &id), ERR_REFUSED);
	/* the autoscaler ends: the last view stays, and says so */
	end(&f);
	bool is_said = false;
	for (int i = 0; i < 500 && !is_said; i++) {
		assert_int_equal(feed->ops->next(feed, &frame), 0);
		is_said = frame.live && !frame.live->api.is_ok && strstr(frame.live->api.text, "127.0.0.1");
		feed->ops->release(feed, &frame);
		(void) nanosleep(&(struct timespec) { 0, 20000000 }, NULL);
	}
	assert_true(is_said);
	feed_free(feed);
	wake_done(&wake);
	/* nobody there, and somebody else */
	assert_int_equal(attach_feed_new(&config, &feed, &err), ERR_UNREACHABLE);
}

typedef struct ApiProxy { /* an API server's proxy into a pod: Authorization is for the API server, which keeps it */
	FakeServer *server;
	HttpClient *client;
	HttpResponse response;
	int port;             /* of the pod */
	int refused;
} ApiProxy;

static const char POD[] = "/api/v1/namespaces/shop/pods/autoscaler-0:5002/proxy";

static void pass_on(void *context, const FakeRequest *request, FakeReply *reply)
{
	ApiProxy *proxy = context;
	char url[256], own[128] = "";
	const char *token = strstr(request->headers, "X-Maestro-Token: ");
	if (strncmp(request->path, POD, sizeof POD - 1) || !strstr(request->headers, "Authorization: Bearer account-token\r\n")) {
		proxy->refused++;
		reply->status = 401;
		return;
	}
	if (token)
		(void) snprintf(own, sizeof own, "%.*s", (int) strcspn(token, "\r"), token);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d%s%s%s", proxy->port, request->path + sizeof POD - 1, *request->query ? "?" : "", request->query);
	const HttpRequest onward = { .method = request->method, .url = url, .header = (const char *const[]) { own[0] ? own : NULL, NULL },
	                             .body = request->body, .body_len = strlen(request->body) };
	if (http_request(proxy->client, &onward, &proxy->response, NULL)) {
		reply->status = 503;
		return;
	}
	reply->status = proxy->response.status;
	reply->body = fake_text("%.*s", (int) proxy->response.body.len, proxy->response.body.data ? proxy->response.body.data : "");
}

/* 0 where the console prints the target. */
/* Its exit code; said: what it prints, of both streams. */
static int print_live(const ApiProxy *proxy, const char *path, const char *options, char *said, size_t size)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	char command[1024], rest[256];
	(void) snprintf(command, sizeof command, "%s/maestro --attach %s%s --screen live --json %s 2>&1", build ? build : "build",
	                fake_server_url(proxy->server), path, options);
	FILE *maestro = popen(command, "r");
	assert_non_null(maestro);
	said[fread(said, 1, size - 1, maestro)] = '\0';
	while (fread(rest, 1, sizeof rest, maestro)) {
	}
	int status = pclose(maestro);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The autoscaler's own token goes beside the one for the API server, and a command goes through. */
static void a_console_goes_through_the_api_servers_proxy(void **state)
{
	Fixture f;
	ApiProxy proxy = { 0 };
	Feed *feed = NULL;
	Clock clock;
	Wake wake;
	Error err = { 0 };
	char own[] = "/tmp/test_autoscaler_own_XXXXXX", account[] = "/tmp/test_autoscaler_api_XXXXXX", url[128], options[256], said[65536];
	int64_t id = 0;
	(void) state;
	int own_fd = mkstemp(own), account_fd = mkstemp(account);
	assert_int_equal(write(own_fd, "own-token\n", 10), 10);
	assert_int_equal(write(account_fd, "account-token\n", 14), 14);
	begin(&f, "{\"action\":1}", (const char *const[]) { "--token-file", own, NULL });
	proxy.port = f.child.port;
	assert_int_equal(http_client_new(NULL, &proxy.client, NULL), 0);
	proxy.server = fake_server_start(pass_on, &proxy);
	clock_init_system(&clock);
	assert_int_equal(wake_init(&wake), 0);
	(void) snprintf(url, sizeof url, "%s%s", fake_server_url(proxy.server), POD);
	const AttachConfig config = { .server = { .url = url, .bearer_file = account, .own_token_file = own }, .clock = &clock, .wake = &wake };
	if (attach_feed_new(&config, &feed, &err))
		fail_msg("%s", err.text);
	FeedFrame frame = await(feed, STATE_ACTIVE);
	feed->ops->release(feed, &frame);
	Command command = { .kind = COMMAND_LIVE_OVERRIDE, .who = "bo", .u.override_ = { .replicas = 4, .hold_ms = 60000, .seen = 2 } };
	assert_int_equal(feed->ops->send(feed, &command, &id), 0);
	frame = await(feed, STATE_MANUAL);
	assert_int_equal(atomic_load(&f.cluster.replicas), 4);
	feed->ops->release(feed, &frame);
	feed_free(feed);
	(void) snprintf(options, sizeof options, "--attach-token-file %s --attach-proxy-token-file %s", own, account);
	assert_int_equal(print_live(&proxy, POD, options, said, sizeof said), 0);
	assert_non_null(strstr(said, "\"name\":\"web\""));
	assert_int_equal(print_live(&proxy, "", options, said, sizeof said), 2); /* no proxy: it says so and sends neither token anywhere */
	assert_non_null(strstr(said, "--attach-proxy-token-file"));
	assert_int_equal(fake_server_seen(proxy.server, &proxy.refused), 0);
	(void) snprintf(options, sizeof options, "--attach-proxy-token-file %s", account);
	assert_int_not_equal(print_live(&proxy, POD, options, said, sizeof said), 0); /* the API server's is not the autoscaler's */
	assert_non_null(strstr(said, "HTTP 401"));
	fake_server_stop(proxy.server);
	http_client_free(proxy.client);
	http_response_done(&proxy.response);
	wake_done(&wake);
	end(&f);
	(void) close(own_fd), (void) close(account_fd);
	(void) unlink(own), (void) unlink(account);
}

typedef struct Absent {
	Feed *feed;
	const char *text;
	bool wants_time;
} Absent;

static bool is_said(void *arg)
{
	const Absent *absent = arg;
	FeedFrame frame;
	assert_int_equal(absent->feed->ops->next(absent->feed, &frame), 0);
	bool is = frame.absent && strstr(frame.absent, absent->text) && (frame.absent_since_ms > 0) == absent->wants_time;
	absent->feed->ops->release(absent->feed, &frame);
	return is;
}

static void no_targets(void *context, const FakeRequest *request, FakeReply *reply)
{
	atomic_int *status = context;
	(void) request;
	reply->status = atomic_load(status);
	reply->body = fake_text(reply->status == 200 ? "{\"wall_ms\":1795523246000,\"start_ms\":1,\"targets\":[]}" : "{\"error\":\"a token is wanted\"}");
}

/* It has none while it waits for its cluster; then it does not answer, or not this one, since a moment that is told. */
static void check_no_targets(int then, const char *said)
{
	Feed *feed = NULL;
	Clock clock;
	Wake wake;
	Error err = { 0 };
	char url[64];
	atomic_int status = 200;
	FakeServer *server = fake_server_start(no_targets, &status);
	str_copy(url, sizeof url, fake_server_url(server));
	clock_init_system(&clock);
	assert_int_equal(wake_init(&wake), 0);
	const AttachConfig config = { .server = { .url = url }, .clock = &clock, .wake = &wake };
	if (attach_feed_new(&config, &feed, &err))
		fail_msg("%s", err.text);
	assert_true(fake_comes(is_said, &(Absent) { feed, "it has no target yet", false }));
	assert_true(is_said(&(Absent) { feed, url, false }));
	if (then) {
		atomic_store(&status, then);
		assert_true(fake_comes(is_said, &(Absent) { feed, said, true }));
		assert_false(is_said(&(Absent) { feed, "not reached", true }));
	}
	fake_server_stop(server); /* whatever it said before, now it is gone */
	assert_true(fake_comes(is_said, &(Absent) { feed, "attached, but not reached: ", true }));
	feed_free(feed);
	wake_done(&wake);
}

static void a_console_over_no_targets_says_so(void **state)
{
	(void) state;
	check_no_targets(0, NULL);
	check_no_targets(401, "attached, but refused: ");
	check_no_targets(403, "attached, but refused: ");
	check_no_targets(404, "HTTP 404: a token is wanted; no autoscaler is there: --attach takes what its --listen says");
	check_no_targets(500, "HTTP 500: a token is wanted; its own log says more");
}

/* A model's interval is a part of what was evaluated: downs then wait for a window of 300 s, as without an evaluation. */
static void another_interval_makes_the_evaluation_void(void **state)
{
	(void) state;
	FakeCluster cluster = { 0 };
	char db[] = "/tmp/test_autoscaler_XXXXXX";
	int fd = mkstemp(db);
	assert_true(fd >= 0);
	fake_cluster_start(&cluster);
	const char *url = fake_cluster_url(&cluster);
	Child child = child_start((const char *const[]) { "run", "--headless", "--listen", "127.0.0.1:0", "--prometheus", url, "--kubeconfig",
	                          cluster.kubeconfig, "--deployment", "shop/web", "--max-replicas", "4", "--interval", "20s", "--latency-soft",
	                          "250", "--latency-hard", "500", "--policy", "default", "--force", "--db", db, NULL });
	child_wait_log(&child, "every 15 s, not 20 s: its evaluation says nothing here and counts as none");
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	fake_cluster_stop(&cluster);
	(void) close(fd);
	(void) unlink(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_scales_by_the_suggestion_and_shows_it),
		cmocka_unit_test(without_a_suggestion_it_holds_and_says_why),
		cmocka_unit_test(the_log_has_a_record_a_decision),
		cmocka_unit_test(metrics_are_those_of_control_b8),
		cmocka_unit_test(what_is_not_recorded_is_said),
		cmocka_unit_test(a_command_is_audited_and_answered),
		cmocka_unit_test(a_console_over_no_targets_says_so),
		cmocka_unit_test(commands_from_elsewhere_want_a_token),
		cmocka_unit_test(without_the_api_it_is_alive_and_not_ready),
		cmocka_unit_test(a_console_attaches_and_overrides),
		cmocka_unit_test(a_console_goes_through_the_api_servers_proxy),
		cmocka_unit_test(another_interval_makes_the_evaluation_void),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
