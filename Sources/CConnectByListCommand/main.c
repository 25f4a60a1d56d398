/* The program `connectbylist`. */
#include "cbl_host.h"

int main(int argc, char **argv) { return cbl_host_main(argc, argv); }
