/* The entry points of libFuzzer. The fuzzer is chosen with `--target=NAME`; libFuzzer ignores arguments that begin
 * with two hyphens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_support.h"

static int target = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static const char option[] = "--target=";
  for (int i = 1; i < *argc; i++) {
    if (strncmp((*argv)[i], option, strlen(option)) == 0) target = cbl_fuzz_find((*argv)[i] + strlen(option));
  }
  if (target >= 0) return 0;
  fprintf(stderr, "connectbylist-fuzz: --target=NAME expected:");
  for (int i = 0; cbl_fuzz_name(i); i++) fprintf(stderr, " %s", cbl_fuzz_name(i));
  fprintf(stderr, "\n");
  exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  cbl_fuzz_run(target, bytes, count);
  return 0;
}
