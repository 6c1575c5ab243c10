/*
 * Replicas of one autoscaler that share its targets: target T belongs to shard shard_of(T), a shard to whoever holds its Lease. Each
 * replica has a shard of its own, whose Lease it wants back from whoever has it, and is the spare of all others: it takes them when
 * their replica has been silent for the Lease's duration. So a target always has one decider or, for as long, none; never two.
 *
 * One shard under the plain name is leader election.
 */
#ifndef MAESTRO_CLUSTER_SHARD_H
#define MAESTRO_CLUSTER_SHARD_H

#include "cluster/lease.h"

enum { SHARDS_MAX = 32 };

/* 0..n-1 by FNV-1a of "namespace/name"; the same on every machine and in every version. */
int shard_of(const char *namespace_, const char *name, int n);

/* "i/n", or "auto/n": i is then the number that ends the host's name, as a StatefulSet's pods have it. host NULL: this machine's.
 * ERR_USAGE. */
int shard_parse(const char *text, const char *host, int *ret_own, int *ret_n, Error *err);
/* The Lease of shard i: "maestro-autoscaler-i". */
void shard_lease_name(int i, char *text, size_t size);

typedef struct Shards Shards;
/*
 * Stands for the Leases of all n shards, each on a thread of its own. n 0: no shards but one Lease for all targets, as lease describes
 * it. Else the name is each shard's own, and on_change of lease is not called: what changes hands is said on stderr. Those of lease_start.
 */
int shards_start(const LeaseConfig *lease, int own, int n, Shards **ret_shards, Error *err);
void shards_release(Shards *shards); /* lease_release of all */
void shards_stop(Shards *shards);    /* and frees; accepts NULL */

/* Any thread: whether this process may decide for the target now. */
bool shards_hold(Shards *shards, const Target *target);
/* The Lease of its own shard, or of all targets; the shards'. */
Lease *shards_own(Shards *shards);

#endif
