/* ceil and trunc, which Embedded Swift's Dictionary, Set and Int(exactly:) call where the processor has no
 * instruction for them. The system's are in libm, and the Lua module promises to need libc alone. Hidden, so
 * that no other part of a program that loads the module calls these instead of libm's. */

/* 2^52: from here on every double is a whole number. */
static const double whole_from = 4503599627370496.0;

__attribute__((visibility("hidden"))) double trunc(double x) {
  /* Written so that NaN fails the comparison and is returned as it is. */
  if (!(x > -whole_from && x < whole_from)) return x;
  double whole = (double)(long long)x;
  /* C99 wants -0.0 for -1 < x < 0 and for -0.0 itself. */
  return whole == 0 && (x < 0 || 1 / x < 0) ? -0.0 : whole;
}

__attribute__((visibility("hidden"))) double ceil(double x) {
  double whole = trunc(x);
  return whole < x ? whole + 1 : whole;
}
