/* See shard.h. */
#include "cluster/shard.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum ShardKind { SHARDS_ONE, SHARDS_PARTS, SHARDS_EACH } ShardKind; /* a Lease for all, for each part, for each target */

typedef struct Shard {
	Shards *shards;
	Lease *lease;
	int i;
	char namespace_[NAMESPACE_MAX], name[NAME_MAX_K8S]; /* of SHARDS_EACH: the target's; "": what they have in common */
} Shard;

struct Shards {
	int own, n;          /* n is 1 of SHARDS_ONE */
	bool is_shared;      /* of SHARDS_EACH: the first is for all targets */
	ShardKind kind;
	Shard shard[SHARDS_MAX];
	char identity[128];
	atomic_bool is_open; /* all Leases are there to be looked at */
};

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char) *text) * UINT64_C(0x100000001b3);
	return hash;
}

int shard_of(const char *namespace_, const char *name, int n)
{
	uint64_t hash = fnv1a(fnv1a(fnv1a(UINT64_C(0xcbf29ce484222325), namespace_), "/"), name);
	return n > 1 ? (int) ((hash ^ hash >> 32) % (uint64_t) n) : 0;
}

static bool read_number(const char *text, const char **ret_end, int *ret)
{
	char *end;
	long value = isdigit((unsigned char) *text) ? strtol(text, &end, 10) : -1;
	if (value < 0 || value > SHARDS_MAX)
		return false;
	*ret_end = end;
	*ret = (int) value;
	return true;
}

static bool read_ordinal(const char *host, int *ret)
{
	const char *dash = strrchr(host, '-'), *end;
	return dash && read_number(dash + 1, &end, ret) && !*end;
}

int shard_parse(const char *text, const char *host, int *ret_own, int *ret_n, Error *err)
{
	char here[256] = "";
	const char *at = text;
	int own = 0, n = 0;
	bool is_auto = !strncmp(text, "auto/", 5);
	if (!host) {
		(void) gethostname(here, sizeof here - 1);
		host = here;
	}
	if (is_auto && !read_ordinal(host, &own))
		return error_set(err, ERR_USAGE, "--shard %s: the host's name %s does not end in a number, as a StatefulSet's pods' do", text, host);
	bool ok = is_auto ? (at = text + 4) != NULL : read_number(text, &at, &own);
	if (!ok || *at != '/' || !read_number(at + 1, &at, &n) || *at || n < 1 || own >= n)
		return error_set(err, ERR_USAGE, "--shard %s: wants i/n or auto/n with 0 <= i < n <= %d%s", text, SHARDS_MAX,
		                 ok && own >= n && n > 0 ? "; shards count from 0" : "");
	*ret_own = own;
	*ret_n = n;
	return 0;
}

void shard_lease_name(int i, char *text, size_t size)
{
	(void) snprintf(text, size, "maestro-autoscaler-%d", i);
}

static const char OWN_PREFIX[] = "maestro-for-";

bool target_lease_is(const char *name)
{
	return !strncmp(name, OWN_PREFIX, sizeof OWN_PREFIX - 1);
}

void target_lease_name(const char *deployment, char *text, size_t size)
{
	enum { MOST = NAME_MAX_K8S - 1, HASH = 17 };
	int room = MOST - (int) sizeof OWN_PREFIX + 1;
	if (strlen(deployment) <= (size_t) room)
		(void) snprintf(text, size, "%s%s", OWN_PREFIX, deployment);
	else /* the x: a part of a name may not begin with what a cut may leave at its end */
		(void) snprintf(text, size, "%s%.*sx%016llx", OWN_PREFIX, room - HASH, deployment,
		                (unsigned long long) fnv1a(UINT64_C(0xcbf29ce484222325), deployment));
}

static void say_target(void *arg, bool is_held)
{
	const Shard *shard = arg;
	const char *has = is_held ? "has" : "no longer has";
	if (shard->name[0])
		(void) fprintf(stderr, "maestro: this process %s the Lease of %s/%s\n", has, shard->namespace_, shard->name);
	else
		(void) fprintf(stderr, "maestro: this process %s the shared Lease\n", has);
}

static void say(void *arg, bool is_held)
{
	const Shard *shard = arg;
	const Shards *shards = shard->shards;
	(void) fprintf(stderr, "maestro: this process %s shard %d of %d%s\n", is_held ? "has" : "no longer has", shard->i, shards->n,
	               shard->i == shards->own ? "" : is_held ? ", whose own is away" : "");
}

int shards_start(const LeaseConfig *lease, int own, int n, Shards **ret_shards, Error *err)
{
	Shards *shards = calloc(1, sizeof *shards);
	if (!shards)
		return error_set(err, ERR_NOMEM, "out of memory");
	shards->own = own;
	shards->kind = n > 0 ? SHARDS_PARTS : SHARDS_ONE;
	shards->n = n > 0 ? n : 1;
	int code = 0;
	for (int i = 0; i < shards->n && !code; i++) {
		char name[NAME_MAX_K8S];
		LeaseConfig config = *lease;
		shards->shard[i] = (Shard) { .shards = shards, .i = i };
		if (n > 0) {
			shard_lease_name(i, name, sizeof name);
			config.name = name;
			config.is_spare = i != own;
			config.on_change = lease->on_change ? say : NULL;
			config.arg = &shards->shard[i];
		}
		code = lease_start(&config, &shards->shard[i].lease, err);
	}
	if (code)
		shards_stop(shards);
	else
		*ret_shards = shards;
	return code;
}

static bool precedes(const Shard *a, const Shard *b)
{
	int by_space = strcmp(a->namespace_, b->namespace_);
	return by_space ? by_space < 0 : strcmp(a->name, b->name) < 0;
}

/* All or none: those before it are had, and those after it had or free. */
static bool is_turn(void *arg)
{
	const Shard *shard = arg;
	Shards *shards = shard->shards;
	bool is = atomic_load(&shards->is_open);
	for (int i = 0; i < shards->n && is; i++) {
		char holder[128];
		const Shard *other = &shards->shard[i];
		if (other == shard)
			continue;
		lease_holder(other->lease, holder, sizeof holder);
		is = !strcmp(holder, shards->identity) || (!holder[0] && precedes(shard, other));
	}
	return is;
}

/* name: room for the target's Lease. */
static LeaseConfig config_of(const LeaseConfig *lease, Shard *shard, char name[NAME_MAX_K8S])
{
	LeaseConfig config = *lease;
	config.on_change = lease->on_change ? say_target : NULL;
	config.arg = shard;
	if (!shard->name[0])
		return config;
	target_lease_name(shard->name, name, NAME_MAX_K8S);
	config.namespace_ = shard->namespace_;
	config.name = name;
	config.is_waived = true; /* where the target's namespace is not there, there is no target */
	return config;
}

int shards_start_each(const LeaseConfig *lease, const Target *target, size_t n, bool is_all, bool is_shared, Shards **ret_shards, Error *err)
{
	Shards *shards = calloc(1, sizeof *shards);
	char name[NAME_MAX_K8S];
	if (!shards)
		return error_set(err, ERR_NOMEM, "out of memory");
	shards->kind = SHARDS_EACH;
	shards->is_shared = is_shared;
	str_copy(shards->identity, sizeof shards->identity, lease->identity);
	shards->n = is_shared + (n < TARGET_LEASES_MAX ? (int) n : TARGET_LEASES_MAX);
	int code = 0;
	for (int i = 0; i < shards->n; i++) {
		Shard *shard = &shards->shard[i];
		*shard = (Shard) { .shards = shards, .i = i };
		if (i >= is_shared) {
			str_copy(shard->namespace_, sizeof shard->namespace_, target[i - is_shared].namespace_);
			str_copy(shard->name, sizeof shard->name, target[i - is_shared].name);
		}
		const LeaseConfig config = config_of(lease, shard, name);
		telemetry_lead(lease->telemetry, config.namespace_, config.name, true, false); /* all, before one is had */
	}
	for (int i = 0; i < shards->n && !code; i++) {
		LeaseConfig config = config_of(lease, &shards->shard[i], name);
		config.may_hold = is_all || is_shared ? is_turn : NULL;
		code = lease_start(&config, &shards->shard[i].lease, err);
	}
	atomic_store(&shards->is_open, !code);
	if (code)
		shards_stop(shards);
	else
		*ret_shards = shards;
	return code;
}

void shards_release(Shards *shards)
{
	for (int i = 0; i < shards->n; i++)
		if (shards->shard[i].lease)
			lease_release(shards->shard[i].lease);
}

void shards_stop(Shards *shards)
{
	if (!shards)
		return;
	shards_release(shards); /* all of them, before one is gone: they look at one another */
	for (int i = 0; i < shards->n; i++)
		lease_stop(shards->shard[i].lease);
	free(shards);
}

static Lease *lease_of(const Shards *shards, const Target *target)
{
	if (shards->kind != SHARDS_EACH)
		return shards->shard[shard_of(target->namespace_, target->name, shards->n)].lease;
	for (int i = 0; i < shards->n; i++)
		if (!strcmp(shards->shard[i].name, target->name) && !strcmp(shards->shard[i].namespace_, target->namespace_))
			return shards->shard[i].lease;
	return NULL;
}

bool shards_hold(Shards *shards, const Target *target)
{
	Lease *lease = lease_of(shards, target);
	return lease && lease_is_held(lease) && (!shards->is_shared || lease_is_held(shards->shard[0].lease));
}

bool shards_fail(Shards *shards, const Target *target)
{
	Lease *lease = lease_of(shards, target);
	return lease && (lease_is_failing(lease) || (shards->is_shared && lease_is_failing(shards->shard[0].lease)));
}

bool shards_hold_all(Shards *shards)
{
	for (int i = 0; i < shards->n; i++)
		if ((shards->kind != SHARDS_PARTS || i == shards->own) && !lease_is_held(shards->shard[i].lease))
			return false;
	return true;
}
