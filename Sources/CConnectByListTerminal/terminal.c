#define _GNU_SOURCE /* ppoll */

#include "cbl_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CBL_TERMINAL_READABLE == POLLIN && CBL_TERMINAL_WRITABLE == POLLOUT, "poll's numbers");
_Static_assert(sizeof(struct cbl_terminal_wait) == sizeof(struct pollfd) &&
                 offsetof(struct cbl_terminal_wait, events) == offsetof(struct pollfd, events) &&
                 offsetof(struct cbl_terminal_wait, ready) == offsetof(struct pollfd, revents),
               "a wait is a pollfd");

/* ---- Terminals ---- */

int cbl_terminal_is_terminal(int fd) { return isatty(fd); }

int cbl_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int cbl_terminal_rows(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

int cbl_terminal_is_utf8(void) {
  locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (user == (locale_t)0) return 0;
  int is_utf8 = strcmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0;
  freelocale(user);
  return is_utf8;
}

int cbl_terminal_uses_color(int fd) {
  const char *refusal = getenv("NO_COLOR");
  if (refusal && refusal[0] != '\0') return 0;
  const char *type = getenv("TERM");
  return isatty(fd) && type && strcmp(type, "dumb") != 0;
}

/* ---- Files ---- */

void cbl_terminal_open_standard_streams(void) {
  /* open returns the lowest number that is free. */
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
}

int cbl_terminal_open(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int cbl_terminal_is_file(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && !S_ISDIR(status.st_mode) && !S_ISSOCK(status.st_mode);
}

void cbl_terminal_close(int fd) { close(fd); }

int64_t cbl_terminal_read(int fd, void *bytes, size_t count) {
  while (1) {
    ssize_t result = read(fd, bytes, count);
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

int64_t cbl_terminal_write_some(int fd, const void *bytes, size_t count) {
  ssize_t result = write(fd, bytes, count);
  return result < 0 ? -errno : result;
}

int cbl_terminal_write(int fd, const void *bytes, size_t count) {
  const char *next = bytes;
  while (count > 0) {
    int64_t written = cbl_terminal_write_some(fd, next, count);
    if (written == -EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if (written >= 0) {
      next += written;
      count -= (size_t)written;
    } else if (written != -EINTR) {
      return (int)written;
    }
  }
  return 0;
}

/* ---- Waiting ---- */

int cbl_terminal_poll(struct cbl_terminal_wait *waits, size_t count, int64_t timeout_ns) {
  struct timespec timeout = {
    .tv_sec = (time_t)(timeout_ns / 1000000000), .tv_nsec = (long)(timeout_ns % 1000000000)};
  int ready = ppoll((struct pollfd *)waits, count, timeout_ns < 0 ? NULL : &timeout, NULL);
  if (ready >= 0) return ready;
  /* After an error the structures keep what they had. */
  for (size_t i = 0; i < count; i++) waits[i].ready = 0;
  return errno == EINTR ? 0 : -errno;
}

/* ---- The process ---- */

int cbl_terminal_execute(char *const *argv) {
  execvp(argv[0], argv);
  return -errno;
}
