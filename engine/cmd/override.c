/*
 * `maestro override set|hold|pause|resume TARGET`: a person's number instead of the policy's, audited.
 *
 * It writes an audit row, then the annotations maestro.io/paused-replicas and maestro.io/paused-until, which the loop that has the
 * target obeys. Where no loop has it, it writes the scale itself and says so.
 */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/session.h"

#include "base/http.h"
#include "base/json.h"
#include "base/mem.h"
#include "cluster/kube.h"
#include "cluster/quantity.h"
#include "cluster/scale.h"
#include "cluster/shard.h"
#include "storage/recent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct OverrideOptions {
	const char *reason, *confirm, *namespace_, *kubeconfig, *context, *lease_namespace, *db;
	double for_s;
	bool is_dry_run, is_yes, is_readonly;
} OverrideOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(OverrideOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("for", 0, OPT_DURATION, for_s, 1, 604800, "TIME", "how long it holds (10m)"),
	OPTION("reason", 0, OPT_STRING, reason, 0, 0, "TEXT", "for the audit row"),
	OPTION("dry-run", 0, OPT_FLAG, is_dry_run, 0, 0, NULL, "say what it would do"),
	OPTION("yes", 'y', OPT_FLAG, is_yes, 0, 0, NULL, "do not ask"),
	OPTION("confirm", 0, OPT_STRING, confirm, 0, 0, "NAME", "the Deployment's name; for steps over half, to 0, past a bound, or over 1h"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "where TARGET has none; else the context's"),
	OPTION("kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"),
	OPTION("lease-namespace", 0, OPT_STRING, lease_namespace, 0, 0, "NS", "of the autoscaler's Lease; else the context's"),
	OPTION("readonly", 0, OPT_FLAG, is_readonly, 0, 0, NULL, "refuse"),
	OPTION("db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store, for the audit row"),
	{ 0 },
};

const OptCommand OVERRIDE_COMMAND = {
	"override set TARGET N | hold TARGET | pause TARGET | resume TARGET [options]",
	"Sets a target's replicas, holds them as they are, pauses deciding, or gives them back to the policy. TARGET is NAME or NAMESPACE/NAME.",
	OPTIONS, 3,
};

enum { COMMIT_MS = 5000, WRITE_TRIES = 5 };
static const double HOUR_S = 3600, DEFAULT_S = 600;

typedef struct Override {
	OverrideOptions options;
	const char *verb; /* "set", "hold", "pause", "resume" */
	Target target;
	int32_t replicas; /* to hold; -1: pause or resume */
	bool is_pause;
	bool has_loop;    /* that obeys the annotations */
	KubeConfig kubeconfig;
	KubeClient *kube;
	KubeDeployment deployment;
	Session session;
	Record record;
} Override;

static int usage(const char *text)
{
	(void) fprintf(stderr, "maestro: override: %s; see maestro override --help\n", text);
	return ERR_USAGE;
}

/* ---- words ---- */

static int read_words(Override *o, int n, char **words)
{
	char *end = NULL;
	if (n < 1)
		return usage("set, hold, pause or resume is missing");
	o->verb = words[0];
	bool is_set = !strcmp(o->verb, "set");
	o->is_pause = !strcmp(o->verb, "pause");
	if (!is_set && !o->is_pause && strcmp(o->verb, "hold") && strcmp(o->verb, "resume"))
		return usage("the first word is set, hold, pause or resume");
	if (n != (is_set ? 3 : 2))
		return usage(is_set ? "write: set TARGET N" : "write: hold TARGET, pause TARGET, or resume TARGET");
	long value = is_set ? strtol(words[2], &end, 10) : -1;
	if (is_set && (end == words[2] || *end || value < 0 || value > 1000000))
		return usage("N is a count of pods");
	o->replicas = (int32_t) value;
	return 0;
}

static int name_target(Override *o, const char *given)
{
	const char *slash = strchr(given, '/'), *name = slash ? slash + 1 : given;
	const char *ns = o->options.namespace_ ? o->options.namespace_ : o->kubeconfig.namespace_;
	size_t len = slash ? (size_t) (slash - given) : strlen(ns);
	if (!len || len >= NAMESPACE_MAX || !*name || strchr(name, '/') || strlen(name) >= NAME_MAX_K8S)
		return usage("TARGET is NAME or NAMESPACE/NAME");
	(void) snprintf(o->target.namespace_, sizeof o->target.namespace_, "%.*s", (int) len, slash ? given : ns);
	str_copy(o->target.name, sizeof o->target.name, name);
	return 0;
}

/* ---- may it? ---- */

/* UX 7's second level: what cannot be undone by waiting a little. NULL: the first. */
static const char *danger(const Override *o)
{
	const KubeDeployment *d = &o->deployment;
	int32_t now = d->replicas, to = o->replicas;
	if (to < 0)
		return NULL;
	if (to == 0 && now > 0)
		return "that is no pod at all";
	if ((d->min_replicas && to < d->min_replicas) || (d->max_replicas && to > d->max_replicas))
		return "that is past the annotated bounds";
	if (now > 0 && abs(to - now) * 2 > now)
		return "that is a step of more than half";
	return o->options.for_s > HOUR_S ? "that is for more than an hour" : NULL;
}

static int confirm(const Override *o, Error *err)
{
	const char *why = danger(o);
	char line[300], answer[300] = "";
	if (why && (!o->options.confirm || strcmp(o->options.confirm, o->target.name)))
		return error_set(err, ERR_REFUSED, "%s/%s: %s; --confirm %s does it", o->target.namespace_, o->target.name, why, o->target.name);
	if (why || o->options.is_yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return error_set(err, ERR_REFUSED, "%s/%s: nobody to ask; --yes does it", o->target.namespace_, o->target.name);
	if (o->replicas < 0)
		(void) fprintf(stderr, "%s %s/%s? [y/N] ", o->verb, o->target.namespace_, o->target.name);
	else
		(void) fprintf(stderr, "%s %s/%s: %d -> %d replicas for %g s? [y/N] ", o->verb, o->target.namespace_, o->target.name,
		               o->deployment.replicas, o->replicas, o->options.for_s);
	if (fgets(line, sizeof line, stdin))
		(void) sscanf(line, "%299s", answer);
	return !strcmp(answer, "y") || !strcmp(answer, "yes") ? 0 : error_set(err, ERR_REFUSED, "not confirmed");
}

/* ---- who has the target, and in which state? ---- */

/* A Lease that somebody holds and renews, by this machine's clock. */
static bool is_held(Override *o, const char *namespace_, const char *name, bool *ret_exists)
{
	StrBuf path = { 0 };
	Json *root = NULL;
	int64_t renewed_ms = 0;
	strbuf_addf(&path, "/apis/coordination.k8s.io/v1/namespaces/");
	http_escape(&path, namespace_);
	strbuf_addf(&path, "/leases/%s", name);
	*ret_exists = !path.failed && !kube_request(o->kube, "lease", "GET", path.data, NULL, &root, NULL);
	bool ok = *ret_exists && *json_string_or(root, "spec.holderIdentity", "") &&
	          time_parse(json_string_or(root, "spec.renewTime", ""), &renewed_ms) &&
	          clock_wall_ms(&o->session.clock) - renewed_ms < json_int_or(root, "spec.leaseDurationSeconds", 0) * 1000;
	json_free(root);
	strbuf_done(&path);
	return ok;
}

/* The target's own, the leader's, or any shard's: whose the target is depends on how many there are. */
static bool is_leased(Override *o)
{
	const char *shared = o->options.lease_namespace ? o->options.lease_namespace : o->kubeconfig.namespace_;
	char name[NAME_MAX_K8S];
	bool exists;
	target_lease_name(o->target.name, name, sizeof name);
	bool is = is_held(o, o->target.namespace_, name, &exists) || is_held(o, shared, "maestro-autoscaler", &exists);
	exists = true;
	for (int i = 0; i < SHARDS_MAX && exists && !is; i++) {
		shard_lease_name(i, name, sizeof name);
		is = is_held(o, shared, name, &exists);
	}
	return is;
}

/* A loop of this store tells its own; else the object does, as far as it can. */
static const char *state_before(const Override *o, const char *told)
{
	const KubeDeployment *d = &o->deployment;
	bool is_held = d->facts.held_replicas >= 0;
	if (told[0])
		return told;
	if (is_held)
		return state_text(STATE_MANUAL);
	if (d->facts.is_paused || d->facts.trouble[0])
		return state_text(STATE_PAUSED);
	return o->has_loop ? "?" : "none";
}

/* ---- writing ---- */

static char *patch_body(Override *o)
{
	char number[16], until[CLOCK_TEXT];
	Json *root = json_new_object();
	Json *annotations = json_add_object(json_add_object(root, "metadata"), "annotations");
	(void) snprintf(number, sizeof number, "%d", o->replicas);
	clock_format(clock_wall_ms(&o->session.clock) + (int64_t) (o->options.for_s * 1000), until);
	json_add_string(annotations, "maestro.io/paused-replicas", o->replicas < 0 ? NULL : number);
	json_add_string(annotations, "maestro.io/paused-until", o->replicas < 0 ? NULL : until);
	if (o->is_pause)
		json_add_string(annotations, "maestro.io/paused", "true");
	else if (o->replicas < 0)
		json_add_null(annotations, "maestro.io/paused");
	char *text = json_print(root);
	json_free(root);
	return text;
}

static int annotate(Override *o, Error *err)
{
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 32];
	StrBuf path = { 0 };
	char *body = patch_body(o);
	(void) snprintf(what, sizeof what, "deployment %s/%s: annotations", o->target.namespace_, o->target.name);
	strbuf_addf(&path, "/apis/apps/v1/namespaces/");
	http_escape(&path, o->target.namespace_);
	strbuf_addf(&path, "/deployments/");
	http_escape(&path, o->target.name);
	strbuf_addf(&path, "?fieldManager=maestro-override%s", o->options.is_dry_run ? "&dryRun=All" : "");
	int code = !body || path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
	         : kube_request(o->kube, what, "PATCH", path.data, body, NULL, err);
	free(body);
	strbuf_done(&path);
	return code;
}

static int write_scale(Override *o, Error *err)
{
	Actuator *actuator = NULL;
	Scale scale = { 0 };
	int code = kube_actuator_new(o->kube, &actuator, err);
	for (int i = 0; i < WRITE_TRIES && !code; i++) {
		code = actuator->ops->get_scale(actuator, &o->target, &scale, err);
		if (code || scale.replicas == o->replicas)
			break;
		scale.replicas = o->replicas;
		code = actuator->ops->set_scale(actuator, &o->target, &scale, NULL, err);
		if (code != ERR_CONFLICT)
			break;
		code = i + 1 < WRITE_TRIES ? 0 : code;
	}
	actuator_free(actuator);
	return code;
}

/* The row is on disk before anything is sent. */
static int audit_before(Override *o, Error *err)
{
	Sink *sink = o->session.sink;
	RecordAudit *audit = &o->record.u.audit;
	char told[sizeof audit->state_before];
	int64_t run = store_running(o->session.db, &o->session.clock, o->target.namespace_, o->target.name, told, sizeof told);
	o->has_loop = run > 0 || is_leased(o);
	o->record = (Record) { .kind = RECORD_AUDIT, .run_id = run, .wall_ms = clock_wall_ms(&o->session.clock) };
	session_who(audit->who, sizeof audit->who);
	(void) gethostname(audit->host, sizeof audit->host - 1);
	str_copy(audit->context, sizeof audit->context, o->kubeconfig.context);
	str_copy(audit->namespace_, sizeof audit->namespace_, o->target.namespace_);
	str_copy(audit->deployment, sizeof audit->deployment, o->target.name);
	str_copy(audit->what, sizeof audit->what, o->replicas < 0 ? o->verb : audit_word(o->deployment.replicas, o->replicas));
	str_copy(audit->reason, sizeof audit->reason, o->options.reason ? o->options.reason : "");
	str_copy(audit->result, sizeof audit->result, "pending");
	str_copy(audit->state_before, sizeof audit->state_before, state_before(o, told));
	audit->from = o->deployment.replicas;
	audit->to = o->replicas < 0 ? o->deployment.replicas : o->replicas;
	audit->command_id = o->record.wall_ms;
	sink->ops->write(sink, &o->record);
	return sink->ops->commit(sink, COMMIT_MS, err);
}

static void audit_after(Override *o, int code, const Error *err)
{
	Sink *sink = o->session.sink;
	Error late = { 0 };
	str_copy(o->record.u.audit.result, sizeof o->record.u.audit.result, code ? err->text : "applied");
	sink->ops->write(sink, &o->record);
	if (sink->ops->commit(sink, COMMIT_MS, &late))
		(void) fprintf(stderr, "maestro: the audit row's result is not stored: %s\n", late.text);
}

static int apply(Override *o, Error *err)
{
	int code = annotate(o, err);
	if (!code && !o->has_loop && o->replicas >= 0)
		code = write_scale(o, err);
	if (code)
		return code;
	if (o->is_pause)
		printf("%s/%s: paused until resumed\n", o->target.namespace_, o->target.name);
	else if (o->replicas < 0)
		printf("%s/%s: given back to the policy\n", o->target.namespace_, o->target.name);
	else
		printf("%s/%s: %d -> %d, held for %g s; %s\n", o->target.namespace_, o->target.name, o->deployment.replicas, o->replicas,
		       o->options.for_s, o->has_loop ? "the loop that has it writes the scale"
		       : "no autoscaler has it, so the scale was written here and stays after that time");
	return 0;
}

static int run(Override *o, const char *target, Error *err)
{
	if (o->options.is_readonly)
		return error_set(err, ERR_REFUSED, "read-only: overrides are off");
	int code = kubeconfig_load(o->options.kubeconfig, o->options.context, &o->kubeconfig, err);
	if (!code)
		code = name_target(o, target);
	if (!code)
		code = kube_client_new(&o->kubeconfig, &o->session.clock, &o->kube, err);
	if (!code)
		code = kube_deployment_read(o->kube, &o->target, &o->deployment, err);
	if (code)
		return code;
	if (!strcmp(o->verb, "hold"))
		o->replicas = o->deployment.replicas;
	if (o->options.is_dry_run) {
		code = annotate(o, err); /* asks the API whether it would be let in */
		if (!code)
			printf("%s/%s: would %s %d -> %d for %g s\n", o->target.namespace_, o->target.name, o->verb, o->deployment.replicas,
			       o->replicas < 0 ? o->deployment.replicas : o->replicas, o->options.for_s);
		return code;
	}
	code = confirm(o, err);
	if (!code)
		code = audit_before(o, err);
	if (code)
		return code;
	code = apply(o, err);
	audit_after(o, code, err);
	return code;
}

int cmd_override(int argc, char **argv)
{
	Override o = { .options.for_s = DEFAULT_S, .session.wake.fd = -1 };
	Error err = { 0 };
	int words;
	int code = opts_parse(&OVERRIDE_COMMAND, argc, argv, &o.options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	code = read_words(&o, words, argv + 1);
	if (code)
		return err_exit_status(code);
	code = session_open(&o.session, o.options.db, true, &err); /* no row, no override */
	if (code)
		return cmd_fail(code, &err);
	code = run(&o, argv[2], &err);
	kube_client_free(o.kube);
	kubeconfig_done(&o.kubeconfig);
	session_close(&o.session);
	return !code ? 0 : err.text[0] ? cmd_fail(code, &err) : err_exit_status(code);
}
