/* Addresses between the kernel's form and the core's, for the C files here. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cbl_posix.h"

union cbl_posix_address {
  struct sockaddr any;
  struct sockaddr_in inet;
  struct sockaddr_in6 inet6;
  struct sockaddr_un path;
  struct sockaddr_storage storage;
};

socklen_t cbl_posix_to_system(union cbl_posix_address *to, struct cbl_posix_endpoint from);
void cbl_posix_from_system(struct cbl_posix_endpoint *to, const union cbl_posix_address *from);

/* Starts a detached thread that blocks all signals. 0, or -errno. */
int cbl_posix_thread_start_detached(void *(*body)(void *), void *context, size_t stack_size);

#endif
