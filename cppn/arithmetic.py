"""Elementary functions in a defined arithmetic: their bits do not depend on any library of mathematics.

Each function is a range reduction and a polynomial in plain IEEE operations, without fused multiply-add and
without branches. So LLVM vectorises it, and every renderer on every processor gets the same bits. The float32
functions work on numbers inside kernels and, from the same source, on whole arrays in numpy.

Sources: `sine` and `exponential` are minimax fits made for this project, after a range reduction in parts
(Cody & Waite 1980, "Software Manual for the Elementary Functions"); `logarithm` is FDLIBM's e_log.c (Sun
Microsystems 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload

from cppn.jit import forceinline, jitable

# Adding this float32 to a small number rounds it to an integer (ties to even), which then stands in the
# lowest bits.
ROUNDER = np.float32(1.5 * 2**23)

# pi is split into 8 bits, 9 bits and the rest, so that k times a part is exact for k up to 2^15. That sets
# SINE_LIMIT.
SINE_LIMIT = np.float32(102_900.0)
INVERSE_PI = np.float32(1.0 / np.pi)
PI_1, PI_2, PI_3 = np.float32(3.140625), np.float32(0.0009670257568359375), np.float32(6.2783295e-07)
S3, S5 = np.float32(-0.16666658222675323), np.float32(0.00833303201943636)
S7, S9 = np.float32(-0.00019806968339253217), np.float32(2.5997414923040196e-06)
_SIGN = np.int32(31)

# The exponents between which e^x is a normal, finite float32.
EXPONENTIAL_LOW, EXPONENTIAL_HIGH = np.float32(-87.33), np.float32(88.72)
INVERSE_LN2 = np.float32(1.0 / np.log(2.0))
LN2_1, LN2_2 = np.float32(0.693145751953125), np.float32(1.428606765330187e-06)
_ONE = np.float32(1.0)
E2, E3 = np.float32(0.4999920129776001), np.float32(0.16667133569717407)
E4, E5 = np.float32(0.04189449921250343), np.float32(0.008312049321830273)
_MANTISSA = np.int32(23)

# log(2) in float64, as a part that is exact when multiplied by an exponent, and the rest.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
_MANTISSA_64 = np.int64(52)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x limited to [low, high]; a NaN becomes `low`."""
    x = np.where(x > low, x, low)
    return np.where(x < high, x, high)


@overload(clip)
def _clip_in_kernels(x: Any, low: Any, high: Any) -> Callable[..., Any]:
    # Inside kernels, numba's own np.where would make an array of every number.
    def clip_number(x: Any, low: Any, high: Any) -> Any:
        x = x if x > low else low
        return x if x < high else high

    return clip_number


@jitable
def sine(x: Any) -> Any:
    """sin(x) as float32, within 1.2e-7 for |x| <= SINE_LIMIT. Beyond that, x is limited to +-SINE_LIMIT; a
    NaN counts as -SINE_LIMIT.

    The error is measured against the sine of the float32 number x itself. Near |x| = 1e5, neighbouring
    float32 numbers are 1/128 apart: there the argument is coarse, not its sine.
    """
    x = clip(x, -SINE_LIMIT, SINE_LIMIT)
    rounded = np.float32(x * INVERSE_PI + ROUNDER)
    k = rounded - ROUNDER
    r = ((x - k * PI_1) - k * PI_2) - k * PI_3
    s = r * r
    value = np.float32(r + (r * s) * (S3 + s * (S5 + s * (S7 + s * S9))))
    odd = np.int32(rounded.view(np.int32) << _SIGN)
    return np.int32(value.view(np.int32) ^ odd).view(np.float32)


@jitable
def exponential(x: Any) -> Any:
    """e^x as float32, with a relative error below 2.5e-7. x is limited to [EXPONENTIAL_LOW,
    EXPONENTIAL_HIGH], so the result is always a normal number, from 1.2e-38 to 3.4e38. A NaN counts as
    EXPONENTIAL_LOW."""
    x = clip(x, EXPONENTIAL_LOW, EXPONENTIAL_HIGH)
    rounded = np.float32(x * INVERSE_LN2 + ROUNDER)
    k = rounded - ROUNDER
    r = (x - k * LN2_1) - k * LN2_2
    value = np.float32(_ONE + (r + (r * r) * (E2 + r * (E3 + r * (E4 + r * E5)))))
    power = np.int32(rounded.view(np.int32) << _MANTISSA)
    return np.int32(value.view(np.int32) + power).view(np.float32)


@forceinline
def logarithm(x: float) -> float:
    """ln(x) as float64, within 1 ulp, for positive normal numbers, such as uniform draws in (0, 1]. The
    result is meaningless for zero, subnormal, negative and non-finite numbers."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _SQRT_HALF_BITS) >> _MANTISSA_64
    f = np.int64(bits - (exponent << _MANTISSA_64)).view(np.float64) - 1.0  # 1 + f in [sqrt(1/2), sqrt(2))
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half = 0.5 * f * f
    k = np.float64(exponent)
    return k * LN2_HIGH - ((half - (s * (half + (even + odd)) + k * LN2_LOW)) - f)
