/*
 * libmicrohttpd, loaded by the first server: with its libraries of TLS it takes 1.3 ms, which a command that serves nobody need
 * not wait for. Its functions are called by their own names; one that is used is in the list, and has a line below.
 */
#ifndef MAESTRO_SERVE_SERVER_LIBRARY_H
#define MAESTRO_SERVE_SERVER_LIBRARY_H

#include <microhttpd.h>
#include <stdbool.h>

#define MHD_FUNCTIONS(X) \
	X(add_response_header) X(create_response_from_buffer) X(destroy_response) X(get_connection_info) X(get_daemon_info) \
	X(lookup_connection_value) X(queue_response) X(quiesce_daemon) X(resume_connection) X(start_daemon) X(stop_daemon) \
	X(suspend_connection)

#define MHD_MEMBER(name) __typeof__(&MHD_##name) name;
typedef struct ServerLibrary {
	MHD_FUNCTIONS(MHD_MEMBER)
} ServerLibrary;

/* Before anything else of it; any thread. False: it is not there. */
bool server_library_load(void);
/* After that. */
const ServerLibrary *server_library(void);

#define MHD_add_response_header server_library()->add_response_header
#define MHD_create_response_from_buffer server_library()->create_response_from_buffer
#define MHD_destroy_response server_library()->destroy_response
#define MHD_get_connection_info server_library()->get_connection_info
#define MHD_get_daemon_info server_library()->get_daemon_info
#define MHD_lookup_connection_value server_library()->lookup_connection_value
#define MHD_queue_response server_library()->queue_response
#define MHD_quiesce_daemon server_library()->quiesce_daemon
#define MHD_resume_connection server_library()->resume_connection
#define MHD_start_daemon server_library()->start_daemon
#define MHD_stop_daemon server_library()->stop_daemon
#define MHD_suspend_connection server_library()->suspend_connection

#endif
