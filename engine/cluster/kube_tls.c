/* See kube_tls.h. */
#include "cluster/kube_tls.h"

#include "base/mem.h"

#include <string.h>

enum { FILE_BYTES = 1 << 20 };

void kube_tls_done(KubeTls *tls)
{
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++) {
		str_wipe(&tls->pem[i]);
		str_wipe(&tls->file[i]);
	}
}

HttpTls kube_tls_now(const KubeTls *tls)
{
	return (HttpTls) { tls->pem[KUBE_CA], tls->pem[KUBE_CERT], tls->pem[KUBE_KEY], tls->insecure };
}

int kube_tls_init(KubeTls *tls, const KubeConfig *config, HttpClient **ret_http, Error *err)
{
	const char *const pem[KUBE_TLS_PARTS] = { config->ca_pem, config->cert_pem, config->key_pem };
	const char *const file[KUBE_TLS_PARTS] = { config->ca_file, config->cert_file, config->key_file };
	*tls = (KubeTls) { .insecure = config->insecure, .version = 1 };
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++)
		if ((pem[i] && !(tls->pem[i] = strdup(pem[i]))) || (file[i] && !(tls->file[i] = strdup(file[i]))))
			return error_set(err, ERR_NOMEM, "out of memory");
	const HttpTls now = kube_tls_now(tls);
	return http_client_new(&now, ret_http, err);
}

/* The texts that are others than those in use stay; the rest are freed. */
static bool drop_known(const KubeTls *tls, char *pem[KUBE_TLS_PARTS])
{
	bool is_new = false;
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++) {
		if (pem[i] && tls->pem[i] && !strcmp(pem[i], tls->pem[i]))
			str_wipe(&pem[i]);
		is_new |= pem[i] != NULL;
	}
	return is_new;
}

int kube_tls_take(KubeTls *tls, char *pem[KUBE_TLS_PARTS], HttpClient **http, Error *err)
{
	if (!drop_known(tls, pem))
		return 0;
	KubeTls next = { .insecure = tls->insecure };
	HttpClient *client = NULL;
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++)
		next.pem[i] = pem[i] ? pem[i] : tls->pem[i];
	const HttpTls now = kube_tls_now(&next);
	int code = http_client_new(&now, &client, err);
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++) {
		char **gone = code ? &pem[i] : &tls->pem[i];
		if (pem[i])
			str_wipe(gone);
		if (!code)
			tls->pem[i] = next.pem[i];
		pem[i] = NULL;
	}
	if (code)
		return code;
	http_client_free(*http);
	*http = client;
	tls->version++;
	return 0;
}

int kube_tls_read(KubeTls *tls, HttpClient **http, Error *err)
{
	char *pem[KUBE_TLS_PARTS] = { NULL };
	int code = 0;
	for (size_t i = 0; i < KUBE_TLS_PARTS && !code; i++) {
		StrBuf text = { 0 };
		code = tls->file[i] ? mem_read_file(tls->file[i], FILE_BYTES, &text, err) : 0;
		pem[i] = text.data;
		if (!code && pem[i] && !strstr(pem[i], "-----END")) /* it is being written */
			code = error_set(err, ERR_INVALID, "%s: not PEM", tls->file[i]);
	}
	if (!code)
		return kube_tls_take(tls, pem, http, err);
	for (size_t i = 0; i < KUBE_TLS_PARTS; i++)
		str_wipe(&pem[i]);
	return code;
}
