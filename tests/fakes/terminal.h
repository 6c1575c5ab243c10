/* A pseudo-terminal for programs that measure the console. */
#ifndef MAESTRO_TESTS_TERMINAL_H
#define MAESTRO_TESTS_TERMINAL_H

/* Opens one; both ends stay open. Ends the program where there is none to be had. */
void terminal_open(int rows, int cols, int *ret_master, int *ret_slave);
/* In a child: makes the slave its terminal, standard input and output, as xterm-256color in UTF-8. */
void terminal_take(int slave);

#endif
