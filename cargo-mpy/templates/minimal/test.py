import {module}

print("isqrt:", {module}.isqrt(1000000))
try:
    {module}.isqrt(-1)
except Exception as error:
    print("error:", error)
