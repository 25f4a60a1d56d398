/* Interface names, the process, and the C caller's errno. */
#include "internal.h"

#include <net/if.h>
#include <unistd.h>

uint32_t cbl_posix_interface_index(const char *name) { return if_nametoindex(name); }

int cbl_posix_interface_name(uint32_t index, char *name) {
  return if_indextoname(index, name) ? 0 : -errno;
}

int cbl_posix_process(void) { return (int)getpid(); }

void cbl_posix_set_errno(int number) { errno = number; }
