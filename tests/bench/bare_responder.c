/*
 * The ceiling for a small HTTP answer on this machine: an epoll loop a thread that parses nothing and answers each read with
 * fixed bytes. Behind wrk a read is a request.
 *   bare_responder PORT [THREADS]
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] =
	"HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 14:46:13 GMT\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
	"{\"action\":1}\n";
enum { EVENTS = 64, THREADS_MAX = 16 };

static int listen_on(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(fd, (struct sockaddr *) &address, sizeof address) ||
	    listen(fd, 512)) {
		perror("bare_responder");
		exit(1);
	}
	return fd;
}

static void answer(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof buf);
	if (n <= 0 || write(fd, ANSWER, sizeof ANSWER - 1) != (ssize_t) sizeof ANSWER - 1)
		(void) close(fd);
}

static void *serve(void *arg)
{
	int listening = *(const int *) arg, epoll = epoll_create1(0), on = 1;
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listening }, events[EVENTS];
	(void) epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != listening) {
				answer(events[i].data.fd);
				continue;
			}
			int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
			if (fd < 0)
				continue;
			(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			event = (struct epoll_event) { .events = EPOLLIN, .data.fd = fd };
			(void) epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 2, listening = listen_on(argc > 1 ? atoi(argv[1]) : 8080);
	pthread_t thread;
	for (int i = 1; i < threads && i < THREADS_MAX; i++)
		if (pthread_create(&thread, NULL, serve, &listening))
			return 1;
	(void) serve(&listening);
}
