#include "connect_by_list.h"

/* What Arguments.swift relies on: the addresses begin at the end of the structure, and the options have no
 * padding. A caller would leave padding unset, so a later version could not use it for a field. */
_Static_assert(sizeof(struct connect_by_list_addresses) ==
                   offsetof(struct connect_by_list_addresses, addresses),
               "the addresses follow the structure");
_Static_assert(sizeof(struct connect_by_list_options) ==
                   sizeof(size_t) + 2 * sizeof(int) + sizeof(int *) + sizeof(char *),
               "no padding in the options");
