/* See job.h. */
#include "cluster/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 640, WHAT = 400, ACCOUNT = 65532 };
static const char CONTAINER[] = "training";

static void add_limits(Json *container, const JobConfig *config)
{
	static const char *const kinds[] = { "requests", "limits" };
	Json *resources = json_add_object(container, "resources");
	for (int i = 0; i < 2; i++) {
		Json *of = json_add_object(resources, kinds[i]);
		json_add_string(of, "cpu", config->cpu);
		json_add_string(of, "memory", config->memory);
	}
}

/* As the restricted Pod Security Standard has it: no root, no rights, nothing writable but its store. */
static void add_container(Json *pod, const JobConfig *config)
{
	Json *container = json_new_object();
	json_add_string(container, "name", CONTAINER);
	json_add_string(container, "image", config->image);
	Json *args = json_add_array(container, "args");
	for (size_t i = 0; config->arg[i]; i++)
		json_add_string(args, NULL, config->arg[i]);
	add_limits(container, config);
	Json *security = json_add_object(container, "securityContext");
	json_add_bool(security, "allowPrivilegeEscalation", false);
	json_add_bool(security, "readOnlyRootFilesystem", true);
	json_add_string(json_add_array(json_add_object(security, "capabilities"), "drop"), NULL, "ALL");
	Json *mount = json_new_object();
	json_add_string(mount, "name", "store");
	json_add_string(mount, "mountPath", "/var/lib/maestro");
	json_add(json_add_array(container, "volumeMounts"), NULL, mount);
	json_add(json_add_array(pod, "containers"), NULL, container);
	Json *volume = json_new_object();
	json_add_string(volume, "name", "store");
	(void) json_add_object(volume, "emptyDir");
	json_add(json_add_array(pod, "volumes"), NULL, volume);
}

static void add_pod(Json *spec, const JobConfig *config)
{
	Json *template = json_add_object(spec, "template"), *metadata = json_add_object(template, "metadata");
	Json *labels = json_add_object(metadata, "labels");
	json_add_string(labels, "app.kubernetes.io/name", "maestro");
	json_add_string(labels, "app.kubernetes.io/component", "training");
	json_add_string(labels, "sidecar.istio.io/inject", "false"); /* it talks to nobody, and a proxy beside it would never end */
	json_add_string(json_add_object(metadata, "annotations"), "linkerd.io/inject", "disabled");
	Json *pod = json_add_object(template, "spec");
	json_add_string(pod, "restartPolicy", "Never");
	json_add_bool(pod, "automountServiceAccountToken", false);
	json_add_bool(pod, "enableServiceLinks", false);
	json_add_int(pod, "terminationGracePeriodSeconds", 5);
	Json *security = json_add_object(pod, "securityContext");
	json_add_bool(security, "runAsNonRoot", true);
	json_add_int(security, "runAsUser", ACCOUNT);
	json_add_int(security, "runAsGroup", ACCOUNT);
	json_add_int(security, "fsGroup", ACCOUNT);
	json_add_string(json_add_object(security, "seccompProfile"), "type", "RuntimeDefault");
	add_container(pod, config);
}

/* A pod that was evicted, preempted or drained says nothing of its index; one that its options or its data ended ends like that again. */
static void add_failure_policy(Json *spec)
{
	static const int hopeless[] = { 2, 5 }; /* exit statuses */
	Json *rules = json_add_array(json_add_object(spec, "podFailurePolicy"), "rules");
	Json *ignore = json_new_object(), *condition = json_new_object(), *give_up = json_new_object();
	json_add_string(ignore, "action", "Ignore");
	json_add_string(condition, "type", "DisruptionTarget");
	json_add_string(condition, "status", "True");
	json_add(json_add_array(ignore, "onPodConditions"), NULL, condition);
	json_add(rules, NULL, ignore);
	json_add_string(give_up, "action", "FailIndex");
	Json *codes = json_add_object(give_up, "onExitCodes");
	json_add_string(codes, "containerName", CONTAINER);
	json_add_string(codes, "operator", "In");
	Json *values = json_add_array(codes, "values");
	for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++)
		json_add_int(values, NULL, hopeless[i]);
	json_add(rules, NULL, give_up);
}

static char *job_body(const JobConfig *config)
{
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "batch/v1");
	json_add_string(root, "kind", "Job");
	Json *metadata = json_add_object(root, "metadata");
	json_add_string(metadata, "name", config->name);
	json_add_string(metadata, "namespace", config->namespace_);
	json_add_string(json_add_object(metadata, "labels"), "app.kubernetes.io/name", "maestro");
	Json *spec = json_add_object(root, "spec");
	json_add_string(spec, "completionMode", "Indexed");
	json_add_int(spec, "completions", config->n);
	json_add_int(spec, "parallelism", config->n);
	json_add_int(spec, "backoffLimitPerIndex", config->retries);
	json_add_int(spec, "ttlSecondsAfterFinished", config->keep_s);
	add_failure_policy(spec);
	add_pod(spec, config);
	char *text = json_print(root);
	json_free(root);
	return text;
}

int job_create(KubeClient *client, const JobConfig *config, Error *err)
{
	char what[WHAT], path[PATH];
	(void) snprintf(what, sizeof what, "job %s/%s", config->namespace_, config->name);
	(void) snprintf(path, sizeof path, "/apis/batch/v1/namespaces/%s/jobs?fieldValidation=Strict", config->namespace_);
	char *body = job_body(config);
	int code = body ? kube_request(client, what, "POST", path, body, NULL, err) : error_set(err, ERR_NOMEM, "%s: out of memory", what);
	free(body);
	return code;
}

/* ---- what became of it ---- */

static void read_status(const Json *job, JobView *view)
{
	str_copy(view->uid, sizeof view->uid, json_string_or(job, "metadata.uid", ""));
	view->n = (int) json_int_or(job, "spec.completions", 0);
	view->n = view->n > JOB_INDICES_MAX ? JOB_INDICES_MAX : view->n < 0 ? 0 : view->n;
	for (const Json *c = json_first(json_get(job, "status.conditions")); c; c = json_next(c)) {
		const char *type = json_string_or(c, "type", "");
		bool is_failed = !strcmp(type, "Failed");
		if (strcmp(json_string_or(c, "status", ""), "True") || (!is_failed && strcmp(type, "Complete")))
			continue;
		view->is_over = true;
		if (is_failed)
			str_copy(view->why, sizeof view->why, json_string_or(c, "message", "it failed"));
	}
}

static int index_of(const Json *pod)
{
	static const char key[] = "batch.kubernetes.io/job-completion-index";
	for (const Json *note = json_first(json_get(pod, "metadata.annotations")); note; note = json_next(note))
		if (!strcmp(json_key(note), key) && json_string(note))
			return (int) strtol(json_string(note), NULL, 10);
	return -1;
}

static JobPhase phase_of(const Json *pod)
{
	const char *phase = json_string_or(pod, "status.phase", "");
	return !strcmp(phase, "Succeeded") ? JOB_SUCCEEDED : !strcmp(phase, "Failed") ? JOB_FAILED : !strcmp(phase, "Running") ? JOB_RUNNING : JOB_PENDING;
}

static void read_wait(const Json *pod, JobIndex *index)
{
	const Json *waiting = json_get(json_first(json_get(pod, "status.containerStatuses")), "state.waiting");
	const char *reason = json_string_or(waiting, "reason", ""), *message = json_string_or(waiting, "message", "");
	for (const Json *c = json_first(json_get(pod, "status.conditions")); c && !waiting; c = json_next(c))
		if (!strcmp(json_string_or(c, "type", ""), "PodScheduled") && !strcmp(json_string_or(c, "status", ""), "False")) {
			reason = json_string_or(c, "reason", "");
			message = json_string_or(c, "message", "");
		}
	bool has_no_image = strstr(reason, "ImagePull") || !strcmp(reason, "InvalidImageName"); /* ErrImagePull and ImagePullBackOff by turns */
	if (!strcmp(reason, "ContainerCreating") || !strcmp(reason, "PodInitializing") || !reason[0])
		return;
	if (has_no_image)
		(void) snprintf(index->waits_for, sizeof index->waits_for, "the image %.100s cannot be had there",
		                json_string_or(json_first(json_get(pod, "spec.containers")), "image", "?"));
	else
		(void) snprintf(index->waits_for, sizeof index->waits_for, "%.40s%s%.110s", reason, message[0] ? ": " : "", message);
}

/* An index that succeeded has, for a while, pods that failed before beside it. */
static void read_pod(const Json *pod, JobView *view)
{
	int i = index_of(pod);
	if (i < 0 || i >= view->n)
		return;
	JobIndex *index = &view->index[i];
	JobPhase phase = phase_of(pod);
	index->failures += phase == JOB_FAILED;
	bool is_better = phase == JOB_SUCCEEDED || (index->phase != JOB_SUCCEEDED && phase != JOB_FAILED) || !index->pod[0];
	if (!is_better)
		return;
	index->phase = phase;
	index->waits_for[0] = '\0';
	if (phase == JOB_PENDING)
		read_wait(pod, index);
	str_copy(index->pod, sizeof index->pod, json_string_or(pod, "metadata.name", ""));
}

int job_look(KubeClient *client, const char *namespace_, const char *name, JobView *ret_view, Error *err)
{
	char what[WHAT], path[PATH];
	Json *job = NULL, *pods = NULL;
	(void) snprintf(what, sizeof what, "job %s/%s", namespace_, name);
	(void) snprintf(path, sizeof path, "/apis/batch/v1/namespaces/%s/jobs/%s", namespace_, name);
	int code = kube_request(client, what, "GET", path, NULL, &job, err);
	(void) snprintf(path, sizeof path, "/api/v1/namespaces/%s/pods?labelSelector=batch.kubernetes.io%%2Fjob-name%%3D%s", namespace_, name);
	if (!code)
		code = kube_request(client, what, "GET", path, NULL, &pods, err);
	if (!code) {
		*ret_view = (JobView) { 0 };
		read_status(job, ret_view);
		for (const Json *pod = json_first(json_get(pods, "items")); pod; pod = json_next(pod))
			read_pod(pod, ret_view);
	}
	json_free(job);
	json_free(pods);
	return code;
}

static int read_log(KubeClient *client, const char *namespace_, const char *pod, const char *query, StrBuf *ret_text, Error *err)
{
	char what[WHAT], path[PATH];
	(void) snprintf(what, sizeof what, "log of pod %s/%s", namespace_, pod);
	(void) snprintf(path, sizeof path, "/api/v1/namespaces/%s/pods/%s/log?container=%s%s", namespace_, pod, CONTAINER, query);
	return kube_read_text(client, what, path, ret_text, err);
}

int job_log(KubeClient *client, const char *namespace_, const char *pod, StrBuf *ret_text, Error *err)
{
	return read_log(client, namespace_, pod, "", ret_text, err);
}

int job_last_line(KubeClient *client, const char *namespace_, const char *pod, StrBuf *ret_text, Error *err)
{
	return read_log(client, namespace_, pod, "&tailLines=1", ret_text, err);
}
