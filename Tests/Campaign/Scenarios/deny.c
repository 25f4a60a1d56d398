/* Runs a program in which one system call fails from the start, for good.
 *
 *   deny CALL ERRNO PROGRAM [ARGUMENT ...]
 *
 * Both are numbers. CALL may be `netlink`: `socket` of that family alone. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define GO_ON_IF(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: deny CALL ERRNO PROGRAM [ARGUMENT ...]\n");
    return 2;
  }
  int is_netlink = strcmp(arguments[1], "netlink") == 0;
  unsigned call = is_netlink ? SYS_socket : (unsigned)atoi(arguments[1]);
  unsigned deny = SECCOMP_RET_ERRNO | ((unsigned)atoi(arguments[2]) & SECCOMP_RET_DATA);
  struct sock_filter any[] = {
      LOAD(nr), GO_ON_IF(call), ALLOW, BPF_STMT(BPF_RET | BPF_K, deny),
  };
  struct sock_filter netlink[] = {
      LOAD(nr), GO_ON_IF(call), ALLOW, LOAD(args[0]), GO_ON_IF(AF_NETLINK), ALLOW, BPF_STMT(BPF_RET | BPF_K, deny),
  };
  struct sock_fprog program = {.len = sizeof any / sizeof any[0], .filter = any};
  if (is_netlink) program = (struct sock_fprog){.len = sizeof netlink / sizeof netlink[0], .filter = netlink};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
    perror("seccomp");
    return 2;
  }
  execvp(arguments[3], arguments + 3);
  perror(arguments[3]);
  return 2;
}
