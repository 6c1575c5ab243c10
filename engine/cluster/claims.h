/*
 * Who keeps a target to himself: the Leases maestro-for-NAME (shard.h) of a namespace, as they are seen by a process that acts under
 * another Lease, or under none.
 */
#ifndef MAESTRO_CLUSTER_CLAIMS_H
#define MAESTRO_CLUSTER_CLAIMS_H

#include "cluster/kube.h"

typedef struct Claim Claim;
typedef struct Claims { /* of one namespace; {0} is one that was not looked at */
	Claim *claim;
	size_t n;
	bool may_not_list; /* said already */
	bool is_known;     /* listed before: what is new since is of now, whatever time it says */
} Claims;

/* Lists them anew. What may not be listed is said once and is nobody's, and so is what this API does not know. Those of a request. */
int claims_look(Claims *claims, KubeClient *client, Clock *clock, const char *namespace_, Error *err);
/*
 * Who holds the target's Lease, the claims'; NULL: nobody. A holder that was seen to come or to renew is one until the Lease's duration has
 * passed on this clock; one that was there at the first look is believed its time of renewal.
 */
const char *claims_holder(const Claims *claims, Clock *clock, const char *deployment);
void claims_done(Claims *claims);

#endif
