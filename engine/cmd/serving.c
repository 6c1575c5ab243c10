/* See serving.h. */
#include "cmd/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ServerConfig serving_config(const ServingOptions *options)
{
	return (ServerConfig) {
		.listen = options->listen,
		.token_file = options->token_file,
		.tls_cert = options->tls_cert,
		.tls_key = options->tls_key,
	};
}

void serving_announce(const char *command, const ServingOptions *options, int port, const char *more)
{
	const char *colon = strrchr(options->listen, ':');
	(void) fprintf(stderr, "maestro: %s: listening on %.*s:%d%s%s\n", command, (int) (colon - options->listen), options->listen,
	               port, *more ? ", " : "", more);
}

/* A handler has nothing else to go by. OpenBLAS has threads from before main, so blocking the signals would not do. */
static int signal_pipe[2] = { -1, -1 };

static void note_signal(int number)
{
	int saved = errno;
	char byte = (char) number;
	ssize_t wrote = write(signal_pipe[1], &byte, 1);
	(void) wrote;
	errno = saved;
}

void serving_catch_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK))
		return; /* they keep their meaning */
	(void) sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		(void) sigaction(numbers[i], &action, NULL);
}

int serving_wait(int64_t wait_ms)
{
	struct pollfd fd = { .fd = signal_pipe[0], .events = POLLIN };
	char number = 0;
	(void) poll(&fd, 1, (int) wait_ms);
	return read(signal_pipe[0], &number, 1) == 1 ? number : 0;
}
