/* `maestro doctor`: options and report of cluster/doctor.h. */
#include "cluster/doctor.h"

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/prom_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct DoctorOptions {
	PromOptions prom;
	const char *deployment, *namespace_, *kubeconfig, *context, *db;
	int32_t min_replicas, max_replicas;
	double latency_soft_ms;
	bool is_json;
} DoctorOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(DoctorOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("deployment", 'd', OPT_STRING, deployment, 0, 0, "NS/NAME", "the target; without one only what needs none is looked at"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "where --deployment has none; else the context's"),
	PROM_OPTIONS(DoctorOptions),
	OPTION("kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"),
	OPTION("min-replicas", 0, OPT_INT, min_replicas, 1, 10000, "N", "as `run` will be given"),
	OPTION("max-replicas", 0, OPT_INT, max_replicas, 1, 10000, "N", "the same"),
	OPTION("latency-soft", 0, OPT_DOUBLE, latency_soft_ms, -1, 1e7, "MS", "the same"),
	OPTION("json", 0, OPT_FLAG, is_json, 0, 0, NULL, "one JSON object a finding"),
	OPTION("db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store"),
	{ .name = NULL },
};

const OptCommand DOCTOR_COMMAND = {
	.usage = "doctor [options]",
	.summary = "Looks at what `maestro run` needs, writes nothing, and says what to fix. Exit 1 where something would keep it from working.",
	.opt = OPTIONS,
};

static void print_line(void *arg, const DoctorLine *line)
{
	(void) arg;
	printf("%-4s  %-10s  %s\n", doctor_level_text(line->level), line->check, line->text);
	if (line->remedy[0])
		printf("%18s-> %s\n", "", line->remedy);
	(void) fflush(stdout);
}

static void print_json(void *arg, const DoctorLine *line)
{
	(void) arg;
	Json *root = json_new_object();
	json_add_string(root, "check", line->check);
	json_add_string(root, "level", doctor_level_text(line->level));
	json_add_string(root, "text", line->text);
	json_add_string(root, "remedy", line->remedy[0] ? line->remedy : NULL);
	char *text = json_print(root);
	json_free(root);
	if (text)
		printf("%s\n", text);
	(void) fflush(stdout);
	free(text);
}

/* NAME, or NS/NAME; false: neither. */
static bool name_target(const DoctorOptions *o, const char *otherwise, Target *target)
{
	const char *given = o->deployment ? o->deployment : "", *slash = strchr(given, '/');
	const char *name = slash ? slash + 1 : given, *ns = o->namespace_ ? o->namespace_ : otherwise;
	if (strchr(name, '/') || strlen(name) >= sizeof target->name || (slash && (size_t) (slash - given) >= sizeof target->namespace_))
		return false;
	if (slash)
		(void) snprintf(target->namespace_, sizeof target->namespace_, "%.*s", (int) (slash - given), given);
	else
		str_copy(target->namespace_, sizeof target->namespace_, ns);
	str_copy(target->name, sizeof target->name, name);
	return true;
}

static int examine(const DoctorOptions *o, Doctor *doctor, KubeConfig *kubeconfig)
{
	Error err = { 0 };
	Target target = { .min_replicas = o->min_replicas ? o->min_replicas : 1, .max_replicas = o->max_replicas,
	                  .latency_soft_ms = (float) o->latency_soft_ms };
	int code = kubeconfig_load(o->kubeconfig, o->context, kubeconfig, &err), fails = 0;
	if (!code)
		code = kube_client_new(kubeconfig, doctor->clock, &doctor->kube, &err);
	if (code) {
		DoctorLine line = { .check = "kubeconfig", .level = DOCTOR_FAIL, .remedy = "give --kubeconfig or --context, or run it in a pod" };
		str_copy(line.text, sizeof line.text, err.text);
		doctor->tell(doctor->arg, &line);
		fails++;
	}
	if (!name_target(o, kubeconfig->namespace_ ? kubeconfig->namespace_ : "default", &target))
		return cmd_fail(ERR_USAGE, &(Error) { .text = "doctor: --deployment is written NAMESPACE/NAME; see maestro doctor --help" });
	if (kubeconfig->insecure) {
		DoctorLine line = { .check = "kubeconfig", .level = DOCTOR_WARN, .text = "the check of the API server's certificate is switched off",
		                    .remedy = "give certificate-authority-data in place of insecure-skip-tls-verify" };
		doctor->tell(doctor->arg, &line);
	}
	doctor->target = &target;
	doctor->own_namespace = kubeconfig->namespace_;
	fails += doctor_run(doctor);
	return fails > 0;
}

int cmd_doctor(int argc, char **argv)
{
	DoctorOptions options = { .prom.url = getenv("PROMETHEUS_URL"), .deployment = getenv("TARGET_DEPLOYMENT"),
	                          .namespace_ = getenv("TARGET_NAMESPACE"), .latency_soft_ms = -1 };
	int words = 0;
	int code = opts_parse(&DOCTOR_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	char db[512];
	Clock clock;
	KubeConfig kubeconfig = { 0 };
	clock_init_system(&clock);
	cmd_db_path(options.db, db, sizeof db);
	PromConfig prometheus = prom_options_config(&options.prom);
	Doctor doctor = { .clock = &clock, .db = db, .prometheus = options.prom.url ? &prometheus : NULL,
	                  .tell = options.is_json ? print_json : print_line };
	int status = examine(&options, &doctor, &kubeconfig);
	kube_client_free(doctor.kube);
	kubeconfig_done(&kubeconfig);
	return status;
}
