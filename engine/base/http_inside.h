/* What http.c and http_stream.c share over libcurl. */
#ifndef MAESTRO_BASE_HTTP_INSIDE_H
#define MAESTRO_BASE_HTTP_INSIDE_H

#include "base/http.h"

#include <curl/curl.h>

/* Parses url, refuses all but http and https, and tells whether its host is this machine. */
int http_url_parse(const char *url, CURLU **ret_url, bool *ret_loopback, Error *err);
/* A handle with what every request has; NULL: out of memory. */
CURL *http_easy_new(void);
CURLcode http_set_tls(CURL *easy, const HttpTls *tls);
/* A line break in a value would begin a header of its own. */
bool http_is_header_safe(const char *value);
bool http_add_header(struct curl_slist **list, const char *name, const char *value);
int http_error_of(CURLcode answer);

#endif
