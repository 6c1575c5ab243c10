/*
 * What a client of the Kubernetes API verifies with and shows: authorities, certificate and key. Those that came from files are read
 * anew, since clusters and kubelets rotate them; what is not there or no good leaves the ones before in use.
 */
#ifndef MAESTRO_CLUSTER_KUBE_TLS_H
#define MAESTRO_CLUSTER_KUBE_TLS_H

#include "base/http.h"
#include "cluster/kubeconfig.h"

#include <stdint.h>

enum { KUBE_CA, KUBE_CERT, KUBE_KEY, KUBE_TLS_PARTS };

typedef struct KubeTls {
	char *pem[KUBE_TLS_PARTS];  /* owned; NULL: none */
	char *file[KUBE_TLS_PARTS]; /* owned; NULL: it stays */
	bool insecure;
	uint64_t version;           /* changes with what is in use */
} KubeTls;

/* Copies of what config has, and the client to ask with. ERR_NOMEM, ERR_FAILED (bad certificates). */
int kube_tls_init(KubeTls *tls, const KubeConfig *config, HttpClient **ret_http, Error *err);
void kube_tls_done(KubeTls *tls); /* wipes */
/* Lent until the next change. */
HttpTls kube_tls_now(const KubeTls *tls);

/* Takes pem's texts, which it frees, in place of its own (NULL: no change), and another client where that makes a difference. On failure
 * all stays: ERR_NOMEM, ERR_FAILED. */
int kube_tls_take(KubeTls *tls, char *pem[KUBE_TLS_PARTS], HttpClient **http, Error *err);
/* The same from the files as they are now. */
int kube_tls_read(KubeTls *tls, HttpClient **http, Error *err);

#endif
