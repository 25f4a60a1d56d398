/* Bytes of a stream, and netlink's datagrams. */
#define _GNU_SOURCE
#include "internal.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/uio.h>

#include "faults.h"

int64_t cbl_posix_find_byte(const void *bytes, size_t count, int byte) {
  /* memchr may not be called with NULL, which is what an empty buffer has. */
  const char *found = count > 0 ? memchr(bytes, byte, count) : NULL;
  return found ? found - (const char *)bytes : -1;
}

int64_t cbl_posix_receive(int fd, void *bytes, size_t count) {
  return cbl_posix_result(recv(fd, bytes, count, 0));
}

int64_t cbl_posix_send(int fd, const void *bytes, size_t count) {
  return cbl_posix_result(send(fd, bytes, count, MSG_NOSIGNAL));
}

int64_t cbl_posix_send_slices(int fd, const struct cbl_posix_slice *slices, size_t count) {
  struct iovec vectors[CBL_POSIX_BATCH_MAX];
  if (count > CBL_POSIX_BATCH_MAX) count = CBL_POSIX_BATCH_MAX;
  for (size_t i = 0; i < count; i++) {
    /* sendmsg does not write to the bytes; struct iovec has no const form. */
    vectors[i].iov_base = (void *)(uintptr_t)slices[i].bytes;
    vectors[i].iov_len = slices[i].count;
  }
  /* sendmsg and not writev: writev has no MSG_NOSIGNAL. */
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
  return cbl_posix_result(sendmsg(fd, &message, MSG_NOSIGNAL));
}

int cbl_posix_netlink_receive(int fd, void *slots, size_t slot_size, uint32_t *sizes, int count) {
  struct mmsghdr messages[CBL_POSIX_BATCH_MAX];
  struct iovec vectors[CBL_POSIX_BATCH_MAX];
  struct sockaddr_nl senders[CBL_POSIX_BATCH_MAX];
  if (count > CBL_POSIX_BATCH_MAX) count = CBL_POSIX_BATCH_MAX;
  for (int i = 0; i < count; i++) {
    vectors[i] = (struct iovec){(char *)slots + (size_t)i * slot_size, slot_size};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                          .msg_namelen = sizeof senders[i],
                                          .msg_iov = &vectors[i],
                                          .msg_iovlen = 1};
  }
  /* MSG_TRUNC: the length is the whole datagram's, also where only a part of it fitted. */
  int received = recvmmsg(fd, messages, (unsigned)count, MSG_TRUNC, NULL);
  if (received < 0) return -errno;
  /* Any process may send to a netlink socket; the kernel's own datagrams come from port 0. */
  for (int i = 0; i < received; i++) sizes[i] = senders[i].nl_pid == 0 ? messages[i].msg_len : 0;
  return received;
}
