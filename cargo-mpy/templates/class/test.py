import {module}
from array import array

mean = {module}.Mean()
try:
    mean.value
except Exception as error:
    print("error:", error)
mean.add(array("h", [1, 2, 3, 6]))
print("mean:", mean.value)
