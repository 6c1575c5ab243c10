/* See lease.h. One attempt is a GET and, if the record is ours or has expired, a conditional PUT. */
#include "cluster/lease.h"

#include "base/http.h"
#include "base/mem.h"
#include "base/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { GIVE_BACK_TRIES = 5 };

static const double JITTER = 1.2;
static const char WANTED[] = "maestro.io/wanted-by";

typedef struct LeaseRecord { /* what the API has */
	char version[64];
	char holder[128];
	char wanted[128];        /* who asks for it: the annotation WANTED */
	char renewed[40], acquired[40];
	int64_t transitions;
	int64_t duration_s;
} LeaseRecord;

struct Lease {
	LeaseConfig config;
	char namespace_[NAMESPACE_MAX], name[NAME_MAX_K8S], identity[128], instead[160];
	KubeClient *client;
	StrBuf path;
	Queue wake;              /* closed to stop; nothing is ever in it */
	pthread_t thread;
	bool is_waived;          /* and it was said */
	char said[128];          /* the holder that was named last */
	LeaseRecord seen;
	int64_t changed_ms;      /* monotonic, when the record was last seen to change */
	pthread_mutex_t lock;    /* of those below */
	int64_t held_until_ms;   /* monotonic; 0: not held */
	bool is_failing;         /* and it was said; the thread alone writes it */
	bool was_held;
	bool is_released;        /* by its owner's thread */
	char holder[128];
};

void lease_config_default(LeaseConfig *config)
{
	*config = (LeaseConfig) { .name = "maestro-autoscaler", .duration_ms = 15000, .renew_ms = 10000, .retry_ms = 2000 };
}

void lease_identity(char *text, size_t size)
{
	char host[64] = "host";
	unsigned char b[16];
	(void) gethostname(host, sizeof host - 1);
	if (getrandom(b, sizeof b, 0) != (ssize_t) sizeof b)
		memset(b, (int) getpid() & 0xff, sizeof b);
	(void) snprintf(text, size, "%s_%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", host, b[0], b[1], b[2],
	                b[3], b[4], b[5], b[6] & 15u, b[7], b[8] & 15u, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void micro_time(int64_t wall_ms, char *text, size_t size)
{
	char milli[CLOCK_TEXT];
	clock_format(wall_ms, milli);
	(void) snprintf(text, size, "%.*s000Z", (int) strcspn(milli, "Z"), milli);
}

/* ---- the record ---- */

static void read_record(const Json *root, LeaseRecord *ret)
{
	*ret = (LeaseRecord) {
		.transitions = json_int_or(root, "spec.leaseTransitions", 0),
		.duration_s = json_int_or(root, "spec.leaseDurationSeconds", 0),
	};
	str_copy(ret->version, sizeof ret->version, json_string_or(root, "metadata.resourceVersion", ""));
	str_copy(ret->holder, sizeof ret->holder, json_string_or(root, "spec.holderIdentity", ""));
	for (const Json *note = json_first(json_get(root, "metadata.annotations")); note; note = json_next(note))
		if (!strcmp(json_key(note), WANTED) && json_string(note))
			str_copy(ret->wanted, sizeof ret->wanted, json_string(note));
	str_copy(ret->renewed, sizeof ret->renewed, json_string_or(root, "spec.renewTime", ""));
	str_copy(ret->acquired, sizeof ret->acquired, json_string_or(root, "spec.acquireTime", ""));
}

static char *record_body(const Lease *lease, const LeaseRecord *record)
{
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "coordination.k8s.io/v1");
	json_add_string(root, "kind", "Lease");
	Json *metadata = json_add_object(root, "metadata");
	json_add_string(metadata, "name", lease->name);
	json_add_string(metadata, "namespace", lease->namespace_);
	if (record->version[0])
		json_add_string(metadata, "resourceVersion", record->version);
	if (record->wanted[0])
		json_add_string(json_add_object(metadata, "annotations"), WANTED, record->wanted);
	Json *spec = json_add_object(root, "spec");
	json_add_string(spec, "holderIdentity", record->holder);
	json_add_int(spec, "leaseDurationSeconds", record->duration_s);
	json_add_string(spec, "acquireTime", record->acquired);
	json_add_string(spec, "renewTime", record->renewed);
	json_add_int(spec, "leaseTransitions", record->transitions);
	char *text = json_print(root);
	json_free(root);
	return text;
}

static bool is_expired(const Lease *lease)
{
	return clock_mono_ms(lease->config.clock) - lease->changed_ms >= lease->config.duration_ms;
}

/* Takes note of what the API has; a record that its holder has changed starts the clock of its expiry. */
static void observe(Lease *lease, const LeaseRecord *record)
{
	bool is_new = strcmp(record->renewed, lease->seen.renewed) || strcmp(record->holder, lease->seen.holder);
	bool is_ours = !strcmp(record->holder, lease->identity) || lease->is_waived;
	if (is_new)
		lease->changed_ms = clock_mono_ms(lease->config.clock);
	(void) pthread_mutex_lock(&lease->lock);
	str_copy(lease->holder, sizeof lease->holder, is_ours ? lease->identity : is_expired(lease) ? "" : record->holder);
	(void) pthread_mutex_unlock(&lease->lock);
	lease->seen = *record;
}

static int put_record(Lease *lease, const LeaseRecord *record, Error *err)
{
	Json *root = NULL;
	StrBuf path = { 0 };
	char *body = record_body(lease, record);
	bool is_first = !record->version[0];
	strbuf_addf(&path, "%s%s%s", lease->path.data, is_first ? "" : "/", is_first ? "" : lease->name);
	int code = !body || path.failed ? error_set(err, ERR_NOMEM, "out of memory")
	         : kube_request(lease->client, "lease", is_first ? "POST" : "PUT", path.data, body, &root, err);
	if (!code) {
		LeaseRecord now;
		read_record(root, &now);
		observe(lease, &now);
	}
	json_free(root);
	free(body);
	strbuf_done(&path);
	return code;
}

static int get_record(Lease *lease, LeaseRecord *ret, Error *err)
{
	Json *root = NULL;
	StrBuf path = { 0 };
	strbuf_addf(&path, "%s/%s", lease->path.data, lease->name);
	int code = path.failed ? error_set(err, ERR_NOMEM, "out of memory")
	         : kube_request(lease->client, "lease", "GET", path.data, NULL, &root, err);
	*ret = (LeaseRecord) { 0 };
	if (!code)
		read_record(root, ret);
	json_free(root);
	strbuf_done(&path);
	return code == ERR_NOT_FOUND ? 0 : code;
}

/* ---- one attempt ---- */

static void set_held(Lease *lease, int64_t until_ms)
{
	(void) pthread_mutex_lock(&lease->lock);
	lease->held_until_ms = until_ms;
	(void) pthread_mutex_unlock(&lease->lock);
}

static int waive(Lease *lease)
{
	if (!lease->is_waived)
		(void) fprintf(stderr, "maestro: this API knows no Leases in %s: nothing keeps a second process from %s\n", lease->namespace_, lease->name);
	lease->is_waived = true;
	return 0;
}

/* Makes the record ours, or renews it. */
static int take(Lease *lease, const LeaseRecord *old, Error *err)
{
	LeaseRecord mine = *old;
	int64_t start_ms = clock_mono_ms(lease->config.clock); /* what is confirmed counts from when it was asked for */
	bool is_ours = !strcmp(old->holder, lease->identity);
	micro_time(clock_wall_ms(lease->config.clock), mine.renewed, sizeof mine.renewed);
	if (!is_ours) {
		str_copy(mine.holder, sizeof mine.holder, lease->identity);
		str_copy(mine.acquired, sizeof mine.acquired, mine.renewed);
		mine.transitions += old->version[0] != '\0';
	}
	mine.wanted[0] = '\0';
	mine.duration_s = lease->config.duration_ms / 1000;
	int code = put_record(lease, &mine, err);
	if (code == ERR_NOT_FOUND && lease->config.is_waived && !old->version[0])
		code = waive(lease);
	if (!code)
		set_held(lease, start_ms + lease->config.renew_ms);
	return code;
}

/* Not held from before the API hears of it. */
static int give_up(Lease *lease, const LeaseRecord *old, Error *err)
{
	LeaseRecord none = *old;
	none.holder[0] = '\0';
	none.duration_s = 1;
	set_held(lease, 0);
	return put_record(lease, &none, err);
}

/* Asks the spare that holds it, or whoever takes it next: beside the record, so that nobody's clock begins anew. */
static int ask_for(Lease *lease, const LeaseRecord *old, Error *err)
{
	LeaseRecord asked = *old;
	if (lease->config.is_spare || !strcmp(old->wanted, lease->identity))
		return 0;
	str_copy(asked.wanted, sizeof asked.wanted, lease->identity);
	return put_record(lease, &asked, err);
}

static void say_holder(Lease *lease, const char *holder)
{
	if (!lease->config.is_spare && strcmp(lease->said, holder))
		(void) fprintf(stderr, "maestro: %s has the Lease %s/%s: this process stands by\n", holder, lease->namespace_, lease->name);
	str_copy(lease->said, sizeof lease->said, holder);
}

static int attempt(Lease *lease, Error *err)
{
	LeaseRecord record;
	int code = get_record(lease, &record, err);
	if (code)
		return code;
	observe(lease, &record);
	bool is_ours = !strcmp(record.holder, lease->identity);
	bool is_free = !record.version[0] || !record.holder[0];
	bool may_hold = !lease->config.may_hold || lease->config.may_hold(lease->config.arg);
	if (is_ours && (!may_hold || (lease->config.is_spare && record.wanted[0])))
		return give_up(lease, &record, err);
	if (may_hold && (is_ours || is_expired(lease) || (is_free && !lease->config.is_spare))) {
		lease->said[0] = '\0';
		return take(lease, &record, err);
	}
	set_held(lease, 0);
	if (is_free)
		return 0;
	say_holder(lease, record.holder);
	return ask_for(lease, &record, err);
}

bool lease_is_held(Lease *lease)
{
	(void) pthread_mutex_lock(&lease->lock);
	bool is_held = clock_mono_ms(lease->config.clock) < lease->held_until_ms;
	(void) pthread_mutex_unlock(&lease->lock);
	return is_held;
}

bool lease_is_failing(Lease *lease)
{
	(void) pthread_mutex_lock(&lease->lock);
	bool is_failing = lease->is_failing;
	(void) pthread_mutex_unlock(&lease->lock);
	return is_failing;
}

/* ---- the thread ---- */

static int64_t pause_ms(const Lease *lease)
{
	uint32_t draw;
	if (getrandom(&draw, sizeof draw, 0) != sizeof draw)
		draw = 0;
	double share = (double) draw / (double) UINT32_MAX;
	return (int64_t) ((double) lease->config.retry_ms * (1 + (JITTER - 1) * share));
}

/* What failed is tried again, while the deadline runs on; why is said once until it goes well. Somebody else's win is no failure. */
static void note_attempt(Lease *lease, int code, const Error *err)
{
	bool is_failing = code && code != ERR_CONFLICT;
	if (is_failing && !lease->is_failing)
		(void) fprintf(stderr, "maestro: lease %s/%s: %s; trying again\n", lease->namespace_, lease->name, err->text);
	if (code == ERR_FORBIDDEN && !lease->is_failing)
		(void) fprintf(stderr, "maestro: nothing is written without it; allow the account to create leases in %s, and to get and update the "
		               "one named %s (manifests/rbac.yaml)%s%s\n", lease->namespace_, lease->name, lease->instead[0] ? ", " : "", lease->instead);
	(void) pthread_mutex_lock(&lease->lock); /* others read it; this thread alone writes it */
	lease->is_failing = is_failing;
	(void) pthread_mutex_unlock(&lease->lock);
}

static void tell(Lease *lease)
{
	bool is_held = lease_is_held(lease);
	telemetry_lead(lease->config.telemetry, lease->namespace_, lease->name, !lease->config.is_spare, is_held);
	if (is_held != lease->was_held && lease->config.on_change)
		lease->config.on_change(lease->config.arg, is_held);
	lease->was_held = is_held;
}

static void *lease_main(void *arg)
{
	Lease *lease = arg;
	char nothing;
	do {
		Error err = { 0 };
		note_attempt(lease, attempt(lease, &err), &err);
		tell(lease);
	} while (queue_pop(&lease->wake, &nothing, pause_ms(lease)) == ERR_TIMEOUT);
	return NULL;
}

static void lease_free(Lease *lease)
{
	kube_client_free(lease->client);
	strbuf_done(&lease->path);
	queue_done(&lease->wake);
	(void) pthread_mutex_destroy(&lease->lock);
	free(lease);
}

int lease_start(const LeaseConfig *config, Lease **ret_lease, Error *err)
{
	Lease *lease = calloc(1, sizeof *lease);
	if (!lease)
		return error_set(err, ERR_NOMEM, "out of memory");
	lease->config = *config;
	lease->changed_ms = clock_mono_ms(config->clock);
	(void) pthread_mutex_init(&lease->lock, NULL);
	str_copy(lease->namespace_, sizeof lease->namespace_, config->namespace_);
	str_copy(lease->name, sizeof lease->name, config->name);
	str_copy(lease->identity, sizeof lease->identity, config->identity);
	str_copy(lease->instead, sizeof lease->instead, config->instead ? config->instead : "");
	str_copy(lease->holder, sizeof lease->holder, "?");
	strbuf_addf(&lease->path, "/apis/coordination.k8s.io/v1/namespaces/");
	http_escape(&lease->path, lease->namespace_);
	strbuf_addf(&lease->path, "/leases");
	int code = kube_client_new(config->kube, config->clock, &lease->client, err);
	if (!code && (lease->path.failed || queue_init(&lease->wake, 1, 1)))
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code) {
		kube_client_count(lease->client, config->telemetry);
		kube_client_budget(lease->client, NULL); /* a renewal does not stand in line */
		if (pthread_create(&lease->thread, NULL, lease_main, lease))
			code = error_set(err, ERR_NOMEM, "the thread of the lease does not start");
	}
	if (code)
		lease_free(lease);
	else
		*ret_lease = lease;
	return code;
}

/* Where it was ours when last seen, held or not. A few times where somebody wrote between reading and writing: who asks for it does so
 * beside the record. Not longer than it would last by itself. */
static void give_back(Lease *lease)
{
	LeaseRecord record;
	Error err = { 0 };
	int64_t until_ms = clock_mono_ms(lease->config.clock) + lease->config.duration_ms;
	int code = strcmp(lease->seen.holder, lease->identity) ? 0 : ERR_CONFLICT;
	for (int i = 0; i < GIVE_BACK_TRIES && code == ERR_CONFLICT && clock_mono_ms(lease->config.clock) < until_ms; i++) {
		code = get_record(lease, &record, &err);
		if (!code && !strcmp(record.holder, lease->identity))
			code = give_up(lease, &record, &err);
	}
}

void lease_release(Lease *lease)
{
	if (lease->is_released)
		return;
	lease->is_released = true;
	queue_close(&lease->wake);
	(void) pthread_join(lease->thread, NULL);
	give_back(lease);
	set_held(lease, 0);
}

void lease_stop(Lease *lease)
{
	if (!lease)
		return;
	lease_release(lease);
	lease_free(lease);
}

void lease_holder(Lease *lease, char *text, size_t size)
{
	(void) pthread_mutex_lock(&lease->lock);
	str_copy(text, size, lease->holder);
	(void) pthread_mutex_unlock(&lease->lock);
}
