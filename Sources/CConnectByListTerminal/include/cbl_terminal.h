/*
 * What the program's own tools ask of the system beside sockets: files, terminals, the process. As Embedded
 * Swift can call it: not variadic, no errno variable. A function returns its result, 0 or more, or -errno.
 */
#ifndef CBL_TERMINAL_H
#define CBL_TERMINAL_H

#include <stddef.h>
#include <stdint.h>

/* 1 where the descriptor is a terminal, else 0. */
int cbl_terminal_is_terminal(int fd);
/* The width and the height of a terminal in characters; 80 and 24 where they are not known. */
int cbl_terminal_columns(int fd);
int cbl_terminal_rows(int fd);
/* 1 where the user's locale (LC_ALL, LC_CTYPE, LANG) is UTF-8's. Does not change the process's locale. */
int cbl_terminal_is_utf8(void);
/*
 * 1 where colours may be written to the descriptor: it is a terminal, TERM is not "dumb", and NO_COLOR is
 * not set or empty (no-color.org).
 */
int cbl_terminal_uses_color(int fd);

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed: a socket must not take its number. */
void cbl_terminal_open_standard_streams(void);

/* Opens a file for reading; close-on-exec. */
int cbl_terminal_open(const char *path);
/* 1 where the path is a file that can be read as text (not a folder, not a socket), else 0. */
int cbl_terminal_is_file(const char *path);
void cbl_terminal_close(int fd);
/* Retried after EINTR. */
int64_t cbl_terminal_read(int fd, void *bytes, size_t count);
/* Writes all of it, waiting where the descriptor is non-blocking. 0, or -errno. */
int cbl_terminal_write(int fd, const void *bytes, size_t count);
/* One call of write(2): how many bytes were taken. */
int64_t cbl_terminal_write_some(int fd, const void *bytes, size_t count);

/* The events of a wait; the numbers are those of poll(2). */
enum {
  CBL_TERMINAL_READABLE = 0x001,
  CBL_TERMINAL_WRITABLE = 0x004,
};

struct cbl_terminal_wait {
  int fd;         /* -1: none */
  int16_t events; /* what is waited for */
  int16_t ready;  /* what has happened, POLLERR and POLLHUP included */
};

/* Waits for any of them; timeout_ns below 0: for ever. How many are ready; 0 at the timeout or after EINTR. */
int cbl_terminal_poll(struct cbl_terminal_wait *waits, size_t count, int64_t timeout_ns);

/* Replaces the process by the command, found as a shell finds it. Returns only if it fails: -errno. */
int cbl_terminal_execute(char *const *argv);

#endif
