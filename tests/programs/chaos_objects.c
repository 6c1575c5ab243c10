/*
 * chaos_objects KUBECONFIG NAMESPACE NAME leave|end
 *   leave   begins every kind of fault on the Deployment, and leaves the objects as a killed training would
 *   end     removes what was left there, begins every kind again, and removes them as the end of a training does
 * Each kind that the API took is printed; what it refused is on stderr, and the exit status 1. Chaos Mesh's real CRDs say what fits.
 */
#include "cluster/chaos_mesh.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int begin_each(ChaosMesh *mesh[MESH_FAULTS], const ChaosMeshConfig *config, const Target *target, Error *err)
{
	int code = 0;
	for (int i = 0; i < MESH_FAULTS && !code; i++) { /* one at a time is on a target: each has a manager of its own */
		code = chaos_mesh_new(config, &mesh[i], err);
		if (!code)
			code = chaos_mesh_begin(mesh[i], target, (MeshFault) i, 0, err);
		if (!code)
			puts(mesh_fault_text((MeshFault) i));
	}
	return code;
}

static int clean(const ChaosMeshConfig *config, const Target *target, Error *err)
{
	ChaosMesh *mesh;
	int code = chaos_mesh_new(config, &mesh, err);
	if (code)
		return code;
	code = chaos_mesh_prepare(mesh, target, err);
	chaos_mesh_free(mesh);
	return code;
}

int main(int argc, char **argv)
{
	Clock clock;
	KubeConfig kubeconfig = { 0 };
	KubeClient *kube = NULL;
	ChaosMesh *mesh[MESH_FAULTS] = { NULL };
	Target target = { .min_replicas = 1, .max_replicas = 2 };
	Error err = { 0 };
	if (argc != 5 || (strcmp(argv[4], "leave") && strcmp(argv[4], "end"))) {
		(void) fprintf(stderr, "usage: chaos_objects KUBECONFIG NAMESPACE NAME leave|end\n");
		return 2;
	}
	bool ends = !strcmp(argv[4], "end");
	str_copy(target.namespace_, sizeof target.namespace_, argv[2]);
	str_copy(target.name, sizeof target.name, argv[3]);
	clock_init_system(&clock);
	int code = kubeconfig_load(argv[1], NULL, &kubeconfig, &err);
	if (!code)
		code = kube_client_new(&kubeconfig, &clock, &kube, &err);
	const ChaosMeshConfig config = { .kube = kube, .clock = &clock, .owner = "run 1 of chaos_objects" };
	if (!code && ends)
		code = clean(&config, &target, &err);
	if (!code)
		code = begin_each(mesh, &config, &target, &err);
	for (int i = 0; i < MESH_FAULTS && ends; i++)
		chaos_mesh_free(mesh[i]);
	kube_client_free(kube);
	kubeconfig_done(&kubeconfig);
	if (code)
		(void) fprintf(stderr, "chaos_objects: %s\n", err.text);
	return code != 0;
}
