/* Addresses between the kernel's form and the core's, for the C files here. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cposix.h"

union cbl_address {
  struct sockaddr any;
  struct sockaddr_in inet;
  struct sockaddr_in6 inet6;
  struct sockaddr_un path;
  struct sockaddr_storage storage;
};

socklen_t cbl_to_system(union cbl_address *to, struct cbl_endpoint from);
void cbl_from_system(struct cbl_endpoint *to, const union cbl_address *from);

/* Starts a detached thread that blocks all signals. 0, or -errno. */
int cbl_thread_start_detached(void *(*body)(void *), void *context, size_t stack_size);

#endif
