/*
 * What moves replicas: the scale subresource of a Deployment, the simulated service, a recorder in the tests.
 */
#ifndef MAESTRO_BASE_ACTUATOR_H
#define MAESTRO_BASE_ACTUATOR_H

#include "base/err.h"
#include "base/types.h"

typedef struct Scale {
	int32_t replicas;          /* spec.replicas: what is there, and from which a policy starts */
	int32_t floor;             /* of an actuator that writes a floor: the present one */
	int32_t status_replicas;
	char resource_version[64]; /* opaque; "" makes a write unconditional */
	char uid[64];              /* of the object; another one means it was recreated */
} Scale;

typedef struct Actuator Actuator;
typedef struct ActuatorOps {
	const char *name; /* "kubernetes", "sim" */
	int (*get_scale)(Actuator *actuator, const Target *target, Scale *ret_scale, Error *err);
	/* Writes want->replicas, as the floor where is_floor. ERR_CONFLICT if the object has moved from want->resource_version. ret_scale (may be NULL) is the new one. */
	int (*set_scale)(Actuator *actuator, const Target *target, const Scale *want, Scale *ret_scale, Error *err);
	void (*free)(Actuator *actuator);
} ActuatorOps;

struct Actuator { /* first member of each kind */
	const ActuatorOps *ops;
	bool is_floor;             /* writes the least number that another autoscaler may choose, and not the number */
};

/* Accepts NULL. */
void actuator_free(Actuator *actuator);

#endif
