/* See terminal.h. */
#include "tests/fakes/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void terminal_open(int rows, int cols, int *ret_master, int *ret_slave)
{
	struct winsize size = { (unsigned short) rows, (unsigned short) cols, 0, 0 };
	*ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_master >= 0 && !grantpt(*ret_master) && !unlockpt(*ret_master) &&
	    (*ret_slave = open(ptsname(*ret_master), O_RDWR | O_NOCTTY)) >= 0 && !ioctl(*ret_slave, TIOCSWINSZ, &size))
		return;
	perror("pseudo-terminal");
	exit(1);
}

void terminal_take(int slave)
{
	(void) setsid();
	(void) ioctl(slave, TIOCSCTTY, 0);
	(void) dup2(slave, STDIN_FILENO);
	(void) dup2(slave, STDOUT_FILENO);
	(void) setenv("TERM", "xterm-256color", 1);
	(void) setenv("LC_ALL", "C.UTF-8", 1);
}
