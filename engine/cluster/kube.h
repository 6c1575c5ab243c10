/*
 * A client of the Kubernetes API: requests with credentials, answers as JSON, failures as ERR_* with the object's name.
 */
#ifndef MAESTRO_CLUSTER_KUBE_H
#define MAESTRO_CLUSTER_KUBE_H

#include "base/clock.h"
#include "base/cluster.h"
#include "base/err.h"
#include "base/http.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/telemetry.h"
#include "base/types.h"
#include "cluster/kubeconfig.h"

typedef struct KubeClient KubeClient; /* one connection; one thread at a time */

/* Copies what it needs of config. The clock is lent for the client's life. ERR_NOMEM, ERR_FAILED (bad certificates),
 * ERR_IO (no token file). */
int kube_client_new(const KubeConfig *config, Clock *clock, KubeClient **ret_client, Error *err);
/* From now on its requests are counted there; lent for the client's life. */
void kube_client_count(KubeClient *client, Telemetry *telemetry);
void kube_client_free(KubeClient *client); /* accepts NULL */

/*
 * One request. what names the object in errors: "deployment shop/cart: scale". body is JSON or NULL; a PATCH is a
 * merge patch. ret_json may be NULL; the caller frees it.
 *
 * A token is read again from its file when it is 60 s old, and once upon 401. So are authorities, certificate and key, and once where
 * the API cannot be reached. After a 429 or 503 with Retry-After no request leaves until that time has passed.
 * ERR_UNREACHABLE, ERR_TIMEOUT, ERR_UNAUTHORIZED, ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_CONFLICT, ERR_INVALID, ERR_HTTP,
 * ERR_PARSE, ERR_REFUSED (not a GET, and the configuration is read-only); err->http_status has the code of the answer.
 */
int kube_request(KubeClient *client, const char *what, const char *method, const char *path, const char *body,
                 Json **ret_json, Error *err);

/* A GET whose answer is text, as a pod's log: appended to ret_text, at most 16 MiB. Those of kube_request. */
int kube_read_text(KubeClient *client, const char *what, const char *path, StrBuf *ret_text, Error *err);

/* The same as a server-side apply under field manager `maestro`, without force; body is JSON. */
int kube_apply(KubeClient *client, const char *what, const char *path, const char *body, Error *err);

/*
 * A budget of requests that clients share: 5 a second, 10 at once (CONTROL C). A client without one has one of its own; a request
 * waits for its turn, at most as long as its time-out. Any thread.
 */
typedef struct KubeBudget KubeBudget;
int kube_budget_new(double per_s, double burst, Clock *clock, KubeBudget **ret_budget, Error *err);
void kube_budget_free(KubeBudget *budget); /* accepts NULL */
/* Lent for the client's life; NULL: no budget, for the lease alone. */
void kube_client_budget(KubeClient *client, KubeBudget *budget);

/* For requests that do not go through kube_request, on the client's thread: the server's URL, and the token to send ("": none), from
 * its source anew where it is 60 s old, or where is_refused says that the last one got a 401. */
const char *kube_client_server(const KubeClient *client);
int kube_client_token(KubeClient *client, bool is_refused, const char **ret_token, Error *err);
/* What to verify with and to show, lent until the client's next request, and a number that changes with it. has_failed: it is read anew
 * though it is not 60 s old. */
uint64_t kube_client_tls(KubeClient *client, bool has_failed, HttpTls *ret_tls);

/* ---- the objects that an autoscaler reads ---- */

enum { PROM_ANNOTATION = 2048 }; /* bytes of the annotation maestro.io/queries, with its NUL */

typedef struct KubeDeployment {
	char uid[64];
	char resource_version[64];
	char selector[512];         /* of its pods, in the form of labelSelector */
	int32_t replicas;           /* spec.replicas */
	int32_t status_replicas;
	double latency_soft_ms;     /* latencySoftConstraint; 0: off or absent */
	double latency_hard_ms;     /* latencyHardConstraint */
	int32_t min_replicas;       /* maestro.io/min-replicas; 0: absent */
	int32_t max_replicas;       /* maestro.io/max-replicas */
	char queries[PROM_ANNOTATION]; /* maestro.io/queries; "": absent */
	double cpu_request_cores;   /* of one pod, summed over its containers; 0: a container has none */
	double mem_limit_bytes;     /* the same */
	TargetFacts facts;          /* what the object itself says; owner is "" */
} KubeDeployment;

/* Reads target's Deployment, out of the client's cache where it has one. ERR_INVALID names an annotation that is not a number. */
int kube_deployment_read(KubeClient *client, const Target *target, KubeDeployment *ret, Error *err);
/* The same out of an object that is there. */
int kube_deployment_parse(const Json *object, const Target *target, KubeDeployment *ret, Error *err);

typedef struct KubePod { /* what of a pod matters, with times as moments */
	PodSample sample;         /* its ages are not filled in */
	int64_t started_ms, ready_ms; /* wall */
	char name[NAME_MAX_K8S];
} KubePod;
void kube_pod_parse(const Json *object, KubePod *ret);

typedef struct PodList {
	PodSample *pod;                /* [n] usage is not filled in: the metrics source does that */
	char (*name)[NAME_MAX_K8S];    /* [n] */
	size_t n, size;
	int32_t ready;                 /* Ready, and not being deleted */
} PodList;

/* Fills list (emptied first, its memory kept) with the pods that selector picks in target's namespace, out of the client's cache
 * where it has one; ages are as of now_ms. On failure the list is empty. */
int kube_pods_list(KubeClient *client, const Target *target, const char *selector, int64_t now_ms, PodList *list,
                   Error *err);
/* Adds one. ERR_NOMEM. */
int pod_list_add(PodList *list, const KubePod *pod, int64_t now_ms);
void pod_list_done(PodList *list);

/* Where the reads above look first; see cache.h. Lent; NULL: nowhere. */
struct KubeCache;
void kube_client_cache(KubeClient *client, struct KubeCache *cache);
struct KubeCache *kube_client_cached(const KubeClient *client);

#endif
