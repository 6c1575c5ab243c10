/*
 * A healthy small world behind one port: the Kubernetes API with one Deployment shop/web of two Ready pods, its Prometheus, and a
 * model server of the thesis's contract (no GET /model). Knobs make parts of it sick. For tests of whole processes.
 */
#ifndef MAESTRO_TESTS_FAKES_FAKE_CLUSTER_H
#define MAESTRO_TESTS_FAKES_FAKE_CLUSTER_H

#include "tests/fakes/fake_leases.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>

typedef struct FakeCluster {
	FakeServer *server;
	char kubeconfig[64];              /* a file that names it */
	_Atomic int replicas;             /* spec of shop/web; moved by writes of the scale */
	_Atomic int writes;
	_Atomic int note;                 /* annotation maestro.io/training-replicas, as patched; -1: none */
	_Atomic long changed_s;           /* when the scale was last written, in managedFields; 0: not said */
	_Atomic int prometheus_status;    /* not 200: every query answers it */
	_Atomic int model_status;         /* the same of /predict */
	_Atomic int model_delay_ms;       /* before /predict answers */
	_Atomic int echo_status;          /* not 0: every answer is it, and says back what came as Authorization and X-Api-Key */
	const char *_Atomic missing;      /* part of a PromQL text: such queries give an empty result; NULL: none */
	const char *_Atomic rps;          /* "100" */
	const char *_Atomic model_answer; /* body of /predict */
	const char *_Atomic model_about;  /* body of GET /model; NULL: 404 */
	const char *_Atomic annotations;  /* members of the Deployment's annotations object */
	const char *_Atomic forbidden;    /* part of a path whose requests are 403; NULL: none */
	_Atomic bool has_leases;          /* else 404, as of an API without them */
	FakeLeases leases;                /* under the server's lock */
	void (*_Atomic on_request)(void *arg, const FakeRequest *request); /* before anything else; NULL: nobody looks. After arg */
	void *_Atomic arg;
	const char *_Atomic (*_Atomic extra)[2]; /* [n_extra] path, body: looked at first */
	_Atomic size_t n_extra;           /* after extra */
	pthread_mutex_t lock;
	char asked[4096];                 /* the last body of /predict; under lock */
	char headers[2048];               /* of the last query of Prometheus; under lock */
} FakeCluster;

void fake_cluster_start(FakeCluster *cluster);
void fake_cluster_stop(FakeCluster *cluster);
const char *fake_cluster_url(const FakeCluster *cluster);

#endif
