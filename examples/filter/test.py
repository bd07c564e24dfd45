import filter
from array import array

samples = array("h", [0, 1, 90, 2, 3, -80, 4, 5, 6, 60, 7])
median = filter.Median(3)
print(median, median.width, median.add(5))
median.run(samples)
print(filter.table(samples))
print(filter.table([1, 2], 3), filter.crossings(samples, 2), filter.crossings([], 0))


def attempt(f, *args):
    try:
        print(f(*args))
    except Exception as error:
        print(type(error).__name__ + ":", error)


attempt(filter.Median, 4)
attempt(median.add, 40000)
attempt(median.add, "loud")
attempt(median.run, [1, 2, 3])
median.free()
attempt(median.add, 1)
