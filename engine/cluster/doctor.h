/*
 * `maestro doctor`: what an autoscaler needs of a cluster, looked at one thing after the other; each finding says what to do.
 * Nothing is written: rights are asked for by SelfSubjectAccessReview, which stores nothing.
 */
#ifndef MAESTRO_CLUSTER_DOCTOR_H
#define MAESTRO_CLUSTER_DOCTOR_H

#include "cluster/kube.h"
#include "cluster/prometheus.h"

typedef enum DoctorLevel { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIP } DoctorLevel;
const char *doctor_level_text(DoctorLevel level); /* "ok", "warn", "fail", "skip" */

typedef struct DoctorLine {
	const char *check;   /* "api", "rbac", "prometheus": what was looked at; static */
	DoctorLevel level;
	char text[320];      /* what was found */
	char remedy[320];    /* what to do; "" where there is nothing to do */
} DoctorLine;

typedef struct Doctor { /* lent; what is NULL is not looked at */
	KubeClient *kube;
	const Target *target;       /* name "": only what needs none */
	const char *own_namespace;  /* of the Lease */
	const PromConfig *prometheus;
	const char *db;             /* path of the store */
	Clock *clock;
	void (*tell)(void *arg, const DoctorLine *line);
	void *arg;
} Doctor;

/* Answers how many lines are DOCTOR_FAIL. */
int doctor_run(const Doctor *doctor);

/* The line on the store at path: the kind of volume beneath it, and whether it can be written. */
DoctorLine doctor_store(const char *path);

#endif
