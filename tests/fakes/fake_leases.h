/* The Leases of a scripted API, with versions: what is written conditionally is refused where another was faster. */
#ifndef MAESTRO_TESTS_FAKES_FAKE_LEASES_H
#define MAESTRO_TESTS_FAKES_FAKE_LEASES_H

#include "tests/fakes/http_server.h"

enum { FAKE_LEASES = 8 };

typedef struct FakeLease {
	char namespace_[64], name[256];
	char spec[1024]; /* "": none */
	int version;
} FakeLease;

typedef struct FakeLeases {
	FakeLease lease[FAKE_LEASES];
} FakeLeases;

/* Whether the request was for a Lease, or a list of them, and is answered. */
bool fake_leases_answer(FakeLeases *leases, const FakeRequest *request, FakeReply *reply);
/* As another process would write it, renewed now; holder "": given back. */
void fake_leases_hold(FakeLeases *leases, const char *namespace_, const char *name, const char *holder);

#endif
