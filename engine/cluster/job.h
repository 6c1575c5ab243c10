/*
 * Indexed Jobs of batch/v1 as far as trainings need them: a pod of this program's image for each index, which talks to nobody; what it
 * has to say is its log.
 */
#ifndef MAESTRO_CLUSTER_JOB_H
#define MAESTRO_CLUSTER_JOB_H

#include "cluster/kube.h"

enum { JOB_INDICES_MAX = 64 };

typedef struct JobConfig {
	const char *namespace_, *name; /* the name as valid as a label's value */
	const char *image;
	const char *cpu, *memory;      /* quantities; the API says what is wrong with one */
	int n;                         /* indices */
	const char *const *arg;        /* of the program, ended by NULL; the pod finds its index in JOB_COMPLETION_INDEX */
	int retries;                   /* of an index; an evicted pod does not count */
	int64_t keep_s;                /* after its end */
} JobConfig;

/* ERR_CONFLICT: one of that name is there. Else as kube_request; validated strictly. */
int job_create(KubeClient *client, const JobConfig *config, Error *err);

typedef enum JobPhase { JOB_PENDING, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED } JobPhase;

typedef struct JobIndex {
	JobPhase phase;                /* of the newest pod of it; PENDING without any */
	char pod[NAME_MAX_K8S];        /* the one that succeeded, else the newest; "": none */
	int failures;                  /* pods of it that failed and are still there */
	char waits_for[160];           /* why a pending pod does not start; "": it will, or there is none */
} JobIndex;

typedef struct JobView {
	int n;
	bool is_over;                  /* no pod of it will start any more */
	char uid[40];                  /* of the Job: another one of the same name has another; "" */
	char why[160];                 /* of a Job that failed; "" */
	JobIndex index[JOB_INDICES_MAX];
} JobView;

/* How the Job and its pods stand: two requests. What kube_request answers. */
int job_look(KubeClient *client, const char *namespace_, const char *name, JobView *ret_view, Error *err);
/* The whole of a pod's log, appended. */
int job_log(KubeClient *client, const char *namespace_, const char *pod, StrBuf *ret_text, Error *err);
/* Its last line alone. */
int job_last_line(KubeClient *client, const char *namespace_, const char *pod, StrBuf *ret_text, Error *err);

#endif
