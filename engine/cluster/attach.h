/*
 * A console's Feed over an autoscaler that runs elsewhere: its targets from /v1/snapshot once a second, commands to /v1/command. That
 * process decides and audits; this one only looks and asks. The URL may be that of an API server's proxy into a pod.
 */
#ifndef MAESTRO_CLUSTER_ATTACH_H
#define MAESTRO_CLUSTER_ATTACH_H

#include "base/archive.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/feed.h"

typedef struct AttachConfig { /* lent for the feed's life */
	EndpointConfig server;
	Clock *clock;
	Wake *wake;        /* signalled with each new snapshot; the feed's wake_fd */
	Archive *archive;  /* this machine's store, for the run browser; may be NULL */
} AttachConfig;

/* Asks once before it answers. ERR_UNREACHABLE, ERR_TIMEOUT, ERR_UNAUTHORIZED, ERR_REFUSED, ERR_NOT_FOUND and ERR_HTTP (what the server
 * answered), ERR_PARSE (no autoscaler), ERR_NOMEM. */
int attach_feed_new(const AttachConfig *config, Feed **ret_feed, Error *err);

#endif
