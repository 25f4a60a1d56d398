#include "cbl_test_terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <unistd.h>

pid_t cbl_test_terminal_start(char *const *argv, char *const *environment, const char *folder, int *fd) {
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  pid_t pid = forkpty(fd, NULL, NULL, &size);
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir(folder) == 0) execve(argv[0], argv, environment);
    _exit(127);
  }
  if (pid > 0) fcntl(*fd, F_SETFD, FD_CLOEXEC);
  return pid;
}
