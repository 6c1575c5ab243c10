/* See raw_client.h. */
#include "tests/fakes/raw_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Server *raw_server(ServerConfig config, const ServerRoute *route, void *context)
{
	const ServerDuty duty = { .route = route, .context = context };
	Server *server = NULL;
	Error err = { 0 };
	config.listen = "127.0.0.1:0";
	if (!server_start(&config, &duty, &server, &err))
		return server;
	(void) fprintf(stderr, "%s\n", err.text);
	abort();
}

int raw_dial(const Server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t) server_port(server)) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *) &address, sizeof address))
		return fd;
	perror("connect");
	abort();
}

void raw_say(int fd, const char *text)
{
	(void) send(fd, text, strlen(text), MSG_NOSIGNAL);
}

const char *raw_hear(int fd, const char *until, int wait_ms, char *buf, size_t size)
{
	size_t len = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	buf[0] = '\0';
	while (len + 1 < size && !(until && strstr(buf, until)) && poll(&p, 1, wait_ms) == 1) {
		ssize_t n = read(fd, buf + len, size - len - 1);
		if (n <= 0)
			break;
		len += (size_t) n;
		buf[len] = '\0';
	}
	return buf;
}
