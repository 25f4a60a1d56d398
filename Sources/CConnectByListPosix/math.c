/* ceil and trunc, for this image only.
 *
 * Embedded Swift's Set, Dictionary and Int(exactly:) call them, and they live in libm. The Lua module is to
 * need libc alone, so it brings its own; being hidden, they stand in nobody else's way. Where the compiler
 * has an instruction for them it takes that. */

/* Beyond this every double is whole already. */
static const double whole_from = 4503599627370496.0; /* 2^52 */

__attribute__((visibility("hidden"))) double trunc(double x) {
  /* Also false for NaN, which is returned as it is. */
  if (!(x > -whole_from && x < whole_from)) return x;
  double whole = (double)(long long)x;
  /* Minus nothing stays minus nothing. */
  return whole == 0 && x < 0 ? -0.0 : whole;
}

__attribute__((visibility("hidden"))) double ceil(double x) {
  double whole = trunc(x);
  return whole < x ? whole + 1 : whole;
}
