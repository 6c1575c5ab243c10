/*
 * What http.c and http_stream.c share over libcurl, and libcurl itself: loaded where a first request is made. With its thirty
 * libraries of TLS and login it takes 3 ms, which a command that talks to nobody need not wait for. Its functions are called by
 * their own names; one that is used is in the list, and has a line below.
 */
#ifndef MAESTRO_BASE_HTTP_INSIDE_H
#define MAESTRO_BASE_HTTP_INSIDE_H

#include "base/http.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define CURL_FUNCTIONS(X) \
	X(global_init) X(global_cleanup) X(free) X(url) \
	X(url_cleanup) X(url_get) X(url_set) X(slist_append) \
	X(slist_free_all) X(easy_init) X(easy_cleanup) X(easy_perform) \
	X(easy_setopt) X(easy_getinfo) X(easy_strerror) X(multi_init) \
	X(multi_cleanup) X(multi_add_handle) X(multi_remove_handle) X(multi_perform) \
	X(multi_poll) X(multi_wakeup) X(multi_info_read) X(multi_setopt)

#define CURL_MEMBER(name) __typeof__(&curl_##name) name;
typedef struct CurlLibrary {
	CURL_FUNCTIONS(CURL_MEMBER)
} CurlLibrary;

/* Ends the process where the library is not there, as the loader of programs would. */
const CurlLibrary *http_curl(void);

#define curl_free http_curl()->free
#define curl_url http_curl()->url
#define curl_url_cleanup http_curl()->url_cleanup
#define curl_url_get http_curl()->url_get
#define curl_url_set http_curl()->url_set
#define curl_slist_append http_curl()->slist_append
#define curl_slist_free_all http_curl()->slist_free_all
#define curl_easy_init http_curl()->easy_init
#define curl_easy_cleanup http_curl()->easy_cleanup
#define curl_easy_perform http_curl()->easy_perform
#define curl_easy_setopt http_curl()->easy_setopt
#define curl_easy_getinfo http_curl()->easy_getinfo
#define curl_easy_strerror http_curl()->easy_strerror
#define curl_multi_init http_curl()->multi_init
#define curl_multi_cleanup http_curl()->multi_cleanup
#define curl_multi_add_handle http_curl()->multi_add_handle
#define curl_multi_remove_handle http_curl()->multi_remove_handle
#define curl_multi_perform http_curl()->multi_perform
#define curl_multi_poll http_curl()->multi_poll
#define curl_multi_wakeup http_curl()->multi_wakeup
#define curl_multi_info_read http_curl()->multi_info_read
#define curl_multi_setopt http_curl()->multi_setopt

/* Parses url, refuses all but http and https, and tells whether its host is this machine. */
int http_url_parse(const char *url, CURLU **ret_url, bool *ret_loopback, Error *err);
/* A handle with what every request has; NULL: out of memory. */
CURL *http_easy_new(void);
CURLcode http_set_tls(CURL *easy, const HttpTls *tls);
/* A line break in a value would begin a header of its own. */
bool http_is_header_safe(const char *value);
bool http_add_header(struct curl_slist **list, const char *name, const char *value);
int http_error_of(CURLcode answer);

enum { HTTP_SECRET_MIN = 8 /* characters; shorter ones would also be found where they are none */ };
/* Writes stars over each place of text where secret stands (NULL: none). The length of the end of text that may be its beginning. */
size_t http_strike_out(char *text, size_t len, const char *secret);

#endif
