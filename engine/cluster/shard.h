/*
 * Replicas of one autoscaler that share its targets: target T belongs to shard shard_of(T), a shard to whoever holds its Lease. Each
 * replica has a shard of its own, whose Lease it wants back from whoever has it, and is the spare of all others: it takes them when
 * their replica has been silent for the Lease's duration. So a target always has one decider or, for as long, none; never two.
 *
 * One shard under the plain name is leader election. A process of few targets has a Lease for each instead, in the target's namespace:
 * so two processes of unlike targets do not wait for one another, and two of the same do. Whoever decides under another Lease looks for
 * that one at the beginning of each cycle: the cycle under way when it is taken may still write, conditionally and for 10 s at most.
 */
#ifndef MAESTRO_CLUSTER_SHARD_H
#define MAESTRO_CLUSTER_SHARD_H

#include "cluster/lease.h"

enum { SHARDS_MAX = 32, TARGET_LEASES_MAX = 3 }; /* more targets than that share one Lease: each is renewed by a thread of its own */

/* 0..n-1 by FNV-1a of "namespace/name"; the same on every machine and in every version. */
int shard_of(const char *namespace_, const char *name, int n);

/* "i/n", or "auto/n": i is then the number that ends the host's name, as a StatefulSet's pods have it. host NULL: this machine's.
 * ERR_USAGE. */
int shard_parse(const char *text, const char *host, int *ret_own, int *ret_n, Error *err);
/* The Lease of shard i: "maestro-autoscaler-i". */
void shard_lease_name(int i, char *text, size_t size);

/* A target's own Lease: "maestro-for-NAME"; of a name too long for that, its beginning and a hash of all of it. */
void target_lease_name(const char *deployment, char *text, size_t size);
/* Whether a Lease of this name is a target's own. */
bool target_lease_is(const char *name);

typedef struct Shards Shards;
/*
 * Stands for the Leases of all n shards, each on a thread of its own. n 0: no shards but one Lease for all targets, as lease describes
 * it. Else the name is each shard's own, and what changes hands is said on stderr unless on_change of lease is NULL. Those of lease_start.
 */
int shards_start(const LeaseConfig *lease, int own, int n, Shards **ret_shards, Error *err);
/*
 * A Lease a target, at most TARGET_LEASES_MAX. The same. is_all: for who can use nothing less. It then takes them in the order of their
 * names, the first only while nobody else has any of them, and gives back what it has when somebody does: so it waits without holding
 * any, and two that want the same do not wait for one another. is_shared: all, and before them the one of lease's own name and namespace,
 * which else are not looked at.
 */
int shards_start_each(const LeaseConfig *lease, const Target *target, size_t n, bool is_all, bool is_shared, Shards **ret_shards, Error *err);
void shards_release(Shards *shards); /* lease_release of all */
void shards_stop(Shards *shards);    /* and frees; accepts NULL */

/* Any thread: whether this process may decide for the target now. */
bool shards_hold(Shards *shards, const Target *target);
/* Whether that target's Lease could not be asked for. */
bool shards_fail(Shards *shards, const Target *target);
/* The same, for all of its own, spares aside. */
bool shards_hold_all(Shards *shards);

#endif
