/* What the fuzzers have in C. No Lua header here: Swift imports this one. */
#ifndef FUZZ_SUPPORT_H
#define FUZZ_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- ConnectByListFuzz: the fuzzers by name --- */

/* The number of a fuzzer; -1: there is none of this name. */
int cbl_fuzz_find(const char *name);

/* The name of a fuzzer, from 0; NULL after the last one. It stays valid. */
const char *cbl_fuzz_name(int index);

/* Runs one input. Ends the process where something is wrong. */
void cbl_fuzz_run(int index, const uint8_t *bytes, size_t count);

/* --- calls.c: what the kernel and the resolver answer is part of the input --- */

/* From now on this thread's answers are taken from these bytes, and after their end are failures: no connect
 * leaves the process, no name is looked up. */
void cbl_fuzz_set_answers(const uint8_t *bytes, size_t count);

/* The same for netlink's datagrams: each is two bytes, its length (little endian; the high bit: it has
 * been truncated), and its contents. */
void cbl_fuzz_set_datagrams(const uint8_t *bytes, size_t count);

/* Real connects go to these ports on loopback alone. */
void cbl_fuzz_allow_port(uint16_t port);

/* What the C library's getaddrinfo makes of an IPv6 address with a scope, without looking anything up. Returns 0 or
 * an EAI code. */
int cbl_fuzz_numeric_address(const char *text, uint8_t address[16], uint32_t *scope);

/* The lowest free descriptor: the same before and after what leaves none open. */
int cbl_fuzz_lowest_free(void);

/* Prints the message and ends the process, so that libFuzzer keeps the input. */
void cbl_fuzz_fail(const char *message);

/* --- scripts.c: fuzzers in Lua, Tests/Campaign/fuzz.d/NAME.lua --- */

void cbl_fuzz_script(const char *name, const uint8_t *bytes, size_t count);

/* --- entry.c: the functions of the C library, with canaries around everything that they are given --- */

void cbl_fuzz_c_entry(const uint8_t *bytes, size_t count);

#endif
