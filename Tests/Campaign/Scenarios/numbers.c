/* Prints the numbers of the system calls that tests deny, by their names. */
#include <stdio.h>
#include <sys/syscall.h>

#define PRINT(name) printf("%s %d\n", #name, (int)SYS_##name)

int main(void) {
  PRINT(socket), PRINT(connect), PRINT(bind), PRINT(listen), PRINT(accept4);
  PRINT(getsockname), PRINT(getpeername), PRINT(shutdown), PRINT(dup3);
  PRINT(setsockopt), PRINT(getsockopt), PRINT(fcntl);
  PRINT(recvfrom), PRINT(sendto), PRINT(sendmsg), PRINT(recvmsg), PRINT(recvmmsg), PRINT(sendmmsg);
  PRINT(ppoll), PRINT(epoll_create1), PRINT(epoll_ctl), PRINT(epoll_pwait);
  PRINT(epoll_pwait2), PRINT(eventfd2), PRINT(ioctl), PRINT(getrandom), PRINT(clone3), PRINT(clock_nanosleep);
  PRINT(writev), PRINT(readv), PRINT(geteuid), PRINT(uname);
#ifdef SYS_poll
  PRINT(poll), PRINT(epoll_wait), PRINT(unlink);
#endif
  return 0;
}
