/* A program on a pseudo-terminal, for tests. */
#ifndef CBL_TEST_TERMINAL_H
#define CBL_TEST_TERMINAL_H

#include <sys/types.h>

/*
 * Starts a program whose standard streams are a new pseudo-terminal of 80 columns and 24 rows, with no signal
 * blocked. Returns its process id and puts the terminal's other side into `fd`; -1 on failure.
 */
pid_t cbl_test_terminal_start(char *const *argv, char *const *environment, const char *folder, int *fd);

#endif
