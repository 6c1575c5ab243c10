/*
 * A client of a Server over raw sockets, for what no library would send. What cannot be had aborts the test program.
 */
#ifndef MAESTRO_TESTS_FAKES_RAW_CLIENT_H
#define MAESTRO_TESTS_FAKES_RAW_CLIENT_H

#include "serve/server.h"

/* The server on a free port of loopback, with these routes and what they are called with. */
Server *raw_server(ServerConfig config, const ServerRoute *route, void *context);
int raw_dial(const Server *server);
void raw_say(int fd, const char *text);
/* What comes into buf, until the text is in it (NULL: none is waited for), the other side ends, or nothing came for wait_ms. */
const char *raw_hear(int fd, const char *until, int wait_ms, char *buf, size_t size);

#endif
