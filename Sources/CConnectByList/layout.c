#include "connect_by_list.h"

/* What the implementation goes by: the addresses begin where the structure ends, and the options have
 * no padding, whose bytes nobody would have set when a later version gives them a meaning. */
_Static_assert(sizeof(struct connect_by_list_addresses) ==
                   offsetof(struct connect_by_list_addresses, addresses),
               "the addresses follow the structure");
_Static_assert(sizeof(struct connect_by_list_options) ==
                   sizeof(size_t) + 2 * sizeof(int) + sizeof(int *),
               "no padding in the options");
