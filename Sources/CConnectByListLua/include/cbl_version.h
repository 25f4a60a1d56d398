#ifndef CBL_VERSION_H
#define CBL_VERSION_H

/* The version of the package: of the Lua module, of the program and of what .packaging/install writes.
 * lua/connectbylist.lua states it too, and refuses a core of another one. Nothing else does. */
#define CBL_VERSION "0.1.0"

#endif
