/* Interface names, the process, the system's configuration files, and the C caller's errno. */
#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

uint32_t cbl_posix_interface_index(const char *name) { return if_nametoindex(name); }

int cbl_posix_interface_name(uint32_t index, char *name) {
  return if_indextoname(index, name) ? 0 : -errno;
}

int64_t cbl_posix_read_file(const uint8_t *path, void *bytes, size_t size) {
  /* Non-blocking: the open of a named pipe would wait for a writer. */
  int fd = open((const char *)path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return -errno;
  size_t count = 0;
  int64_t got;
  do {
    got = cbl_posix_result(read(fd, (char *)bytes + count, size - count));
    if (got > 0) count += (size_t)got;
  } while (got == -EINTR || (got > 0 && count < size));
  close(fd);
  return got < 0 ? got : (int64_t)count;
}

int64_t cbl_posix_routing_user(void) {
  /* Without the privilege to change it, which a process has from its start, the effective user is the real one. */
  if (getauxval(AT_SECURE) == 0 && getauxval(AT_EUID) != 0) return -1;
  return (int64_t)geteuid();
}

int64_t cbl_posix_second_level_cache_size(void) {
#ifdef _SC_LEVEL2_CACHE_SIZE
  return sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
  return 0;
#endif
}

int cbl_posix_process(void) { return (int)getpid(); }

void cbl_posix_set_errno(int number) { errno = number; }

const char *cbl_posix_error_text(int number) { return strerrordesc_np(number); }
