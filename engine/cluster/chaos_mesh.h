/*
 * Faults on a live Deployment, the thesis's ChaosExperimentManager: StressChaos, PodChaos and NetworkChaos of Chaos Mesh, created,
 * watched and removed through the API.
 *
 * No fault outlives the training: each has a duration that Chaos Mesh ends itself, is removed at its deadline and at the end, carries
 * its owner, target and deadline as annotations under the label maestro.io/chaos, and what was left of an earlier training on the
 * same targets is removed at the start.
 *
 * Where the CRDs are absent there are no faults, which is said. The built-in executor stands in for Chaos Mesh's controllers in tests:
 * pod-kill deletes a pod, cpu stress asks the sample service to burn (target-app's POST /stress); it has no network faults.
 */
#ifndef MAESTRO_CLUSTER_CHAOS_MESH_H
#define MAESTRO_CLUSTER_CHAOS_MESH_H

#include "cluster/kube.h"

typedef enum MeshFault { /* bits of chaos_mesh_look */
	MESH_CPU_HALF,     /* StressChaos: 4 workers at load 50, 270 s, in one pod */
	MESH_CPU_FULL,     /* the same at load 100 */
	MESH_POD_KILL,     /* PodChaos: one pod */
	MESH_DELAY,        /* NetworkChaos: 100 ms +- 10 ms, all pods */
	MESH_LOSS,         /* NetworkChaos: 10 % of the packets, all pods */
	MESH_FAULTS,
} MeshFault;
const char *mesh_fault_text(MeshFault fault); /* "cpu-stress-50", "pod-kill", ... */

typedef struct ChaosMeshConfig { /* lent for its life */
	KubeClient *kube;       /* without a cache; the caller's thread's */
	Clock *clock;
	const char *owner;      /* "run 12 of host_uuid" */
	const char *stress_url; /* the built-in executor's, of the sample service; NULL: Chaos Mesh */
	bool is_builtin;
} ChaosMeshConfig;

typedef struct ChaosMesh ChaosMesh;
/* Begins nothing; what config names is lent. ERR_NOMEM. */
int chaos_mesh_new(const ChaosMeshConfig *config, ChaosMesh **ret_mesh, Error *err);
/* Removes all that it began; what an API that is away keeps is tried again by the next call, or free. Accepts NULL. */
void chaos_mesh_end(ChaosMesh *mesh);
/* Ends all, says what could not be removed, and frees. Accepts NULL. */
void chaos_mesh_free(ChaosMesh *mesh);

/* Whether it can act in the target's namespace, with what was left there on this target removed. ERR_NOT_FOUND: the CRDs are absent. */
int chaos_mesh_prepare(ChaosMesh *mesh, const Target *target, Error *err);
/* Begins the fault. 0 and nothing where one is on already, or just ends. */
int chaos_mesh_begin(ChaosMesh *mesh, const Target *target, MeshFault fault, uint32_t draw, Error *err);
/* The faults that act now on the target, by bit: Chaos Mesh says AllInjected. Removes those past their time. */
uint32_t chaos_mesh_look(ChaosMesh *mesh, const Target *target);
/* How many it began, of all targets. */
int64_t chaos_mesh_begun(const ChaosMesh *mesh);

#endif
