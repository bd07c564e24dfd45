import sys
from array import array


class Thing:
    pass


THINGS = [Thing(), "text", True]
cells = 0
samples = []
slots = {}


def freed():
    bag = m.Bag(3)
    bag.free()
    return bag


def same(a, b):
    if a is b:
        return True
    if a is None or b is None:
        return False
    if type(b) in (list, tuple, array):
        return type(a) in (list, tuple, array, bytes, bytearray) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if hasattr(m, "Bag") and isinstance(b, m.Bag):
        return isinstance(a, m.Bag) and a.n == b.n
    return type(a) is type(b) and a == b


# Which of the samples `value` is, and 99 when it is none.
def which(value):
    for n, make in enumerate(samples):
        if same(value, make()):
            return n
    return 99


def reverse(value):
    if reversed_ and value is not None:
        items = list(value)
        for n, item in enumerate(items):
            value[len(items) - 1 - n] = item


class Host:
    def take(self, value):
        n = which(value)
        reverse(value)
        return n

    def take_first(self, value, n):
        return self.take(value) if n == 5 else 96

    def take_last(self, n, value):
        return self.take(value) if n == 5 else 96

    def take_static(self, value):
        return self.take(value)

    def give(self, n):
        return samples[n]()

    def give_static(self, n):
        return samples[n]()

    def call(self, f, n):
        return 95 if f is None else f(samples[n]())

    def call_both(self, f, n):
        return f(5, samples[n]())

    def which(self, thing):
        return [n for n in range(3) if THINGS[n] is thing][0]

    def thing(self, n):
        return THINGS[n]


# What imported methods are called on.
class Object(Host):
    def __setattr__(self, name, value):
        slots[0] = self.take(value)

    def __getattr__(self, name):
        if name != "given":
            raise AttributeError(name)
        return samples[slots[1]]()

    def __setitem__(self, n, value):
        slots[0] = self.take(value) if n == 5 else 96

    def __getitem__(self, n):
        return samples[n]()

    def __call__(self, value):
        return samples[value]() if slots.get("gives") else self.take(value)


host = Host()
host.Host = host
sys.modules["host"] = host
thing = Object()


def expect(what, value, wanted):
    global cells
    cells += 1
    if not same(value, wanted):
        print(what, "is", repr(value), "not", repr(wanted))


def refused(what, error, f, *args):
    global cells
    cells += 1
    try:
        print(what, "takes it and says", f(*args))
    except error:
        pass
    except Exception as e:
        print(what, "raises", repr(e), "not", error.__name__)


def set_(o, value):
    o.p = value
    return o.w


def set_item(o, key, value):
    o[key] = value
    return o.w


def del_item(o, key):
    del o[key]
    return o.w


def try_(word, made, others, wrong, is_reversed):
    global samples, reversed_
    samples, reversed_ = made, is_reversed
    here = lambda name: getattr(m, name + "_" + word, None)
    if here("a1"):
        a1, a2, a3, a4, In = here("a1"), here("a2"), here("a3"), here("a4"), here("In")
        a = In(made[0]())
        for all in (made, others):
            for n, make in enumerate(all):
                value = make()
                expect("a1_" + word, a1(value), n)
                if is_reversed:
                    expect("a1_" + word, list(value), list(reversed(list(make()))))
                expect("a2_" + word, a2(make(), 5), n * 1000 + 5)
                expect("a3_" + word, a3(5, make()), n * 1000 + 5)
                other = all[(n + 1) % len(all)]
                m2 = (n + 1) % len(all)
                expect("a4_" + word, a4(5, make(), other()), n * 1000 + m2 * 10000 + 12)
                expect("a4_" + word, a4(5, make(), other(), 1), n * 1000 + m2 * 10000 + 6)
                expect("In_" + word, In(make()).w, n)
                expect("set " + word, set_(a, make()), n)
                expect("m1_" + word, a.m1(make()), n)
                expect("m2_" + word, a.m2(5, make()), n * 1000 + 5)
                expect("s1_" + word, In.s1(make()), n)
        if made[0]() is None:
            expect("a1_" + word, a1(), 0)
            expect("a3_" + word, a3(5), 5)
            expect("In_" + word, In().w, 0)
            expect("m1_" + word, a.m1(), 0)
        for make, error in wrong:
            what = word + " " + repr(make())
            refused("a1_" + what, error, a1, make())
            refused("a2_" + what, error, a2, make(), 5)
            refused("a3_" + what, error, a3, 5, make())
            refused("a4_" + what, error, a4, 5, made[0](), make())
            refused("a4_" + what, error, a4, 5, make(), made[0]())
            refused("In_" + what, error, In, make())
            refused("set " + what, error, set_, a, make())
            refused("m1 " + what, error, a.m1, make())
            refused("m2 " + what, error, a.m2, 5, make())
            refused("s1 " + what, error, In.s1, make())
    if here("Op"):
        a = here("Op")()
        for all in (made, others):
            for n, make in enumerate(all):
                m2 = (n + 1) % len(all)
                expect("call " + word, a(make()), n)
                expect("getitem " + word, a[make()], n)
                expect("setitem " + word, set_item(a, make(), all[m2]()), n * 100 + m2)
                expect("delitem " + word, del_item(a, make()), n)
                for name, f in BINARY:
                    expect(name + " " + word, f(a, make()), n)
        if made[0]() is None:
            expect("call " + word, a(), 0)
        for make, error in wrong:
            what = word + " " + repr(make())
            refused("call " + what, error, a, make())
            refused("getitem " + what, error, lambda v: a[v], make())
            refused("setitem " + what, error, set_item, a, make(), made[0]())
            refused("setitem " + what, error, set_item, a, made[0](), make())
            refused("delitem " + what, error, del_item, a, make())
            for name, f in BINARY:
                # With what is no object of the class that an operator takes, it is not there.
                if name == "eq" and word in ("bag", "ref_bag", "mut_bag") and error is TypeError:
                    expect("eq " + what, f(a, make()), False)
                else:
                    refused(name + " " + what, error, f, a, make())
    for n, make in enumerate(made):
        if here("r1"):
            b = here("Out")(n)
            expect("r1_" + word, here("r1")(n), make())
            if here("r2"):
                expect("r2_" + word, here("r2")(n, False), make())
                refused("r2_" + word, RuntimeError, here("r2"), n, True)
            expect("get " + word, b.p, make())
            expect("m1 " + word, b.m1(n), make())
            expect("s1 " + word, here("Out").s1(n), make())
        if here("Res"):
            b = here("Res")(n)
            expect("call " + word, b(n), make())
            expect("getitem " + word, b[n], make())
            for name, f in BINARY:
                expect(name + " " + word, f(b, n), make())
            for name, f in UNARY:
                expect(name + " " + word, f(b), make())
            if hasattr(b, "__next__"):
                expect("next " + word, list(here("Res")(0))[n], make())
                expect("next " + word, len(list(here("Res")(0))), len(made))
        if here("x"):
            value = here("x")(n)
            expect("x_" + word, value == make() or same(value, make()), True)
        if here("Field"):
            f = here("Field")(n)
            expect("field " + word, f.f, make())
            f = here("Field")(0)
            f.f = make()
            expect("field " + word, f.w(), n)
            expect("field " + word, f.f, make())
            for bad, error in wrong:
                refused("field " + word + " " + repr(bad()), error, setattr, f, "f", bad())
            if not hasattr(host, "constant_" + word):
                setattr(host, "constant_" + word, made[-1]())
            for how in range(RETURNED):
                slots["gives"], slots[1] = True, n
                expect("j%u_%s" % (how, word), here("j")(how, n, thing), n)
            expect("j_" + word, here("j")(RETURNED, n, thing), len(made) - 1)
            expect("k2_" + word, here("k2")(n), n * 1000 + 5)
            expect("l_" + word, here("l")()(n), make())
            if here("l2"):
                expect("l2_" + word, here("l2")()(n), make())
                refused("l2_" + word, RuntimeError, here("l2")(), 50)
        if here("k"):
            for how in range(5):
                expect("k%u_%s" % (how, word), here("k")(how, n), n)
            expect("k_" + word, here("k")(5, n), 95)
        if here("i"):
            slots["gives"] = False
            for how in range(PASSED):
                slots[0] = None
                value = here("i")(how, n, thing)
                wanted = n + (n * 10000 if is_reversed else 0)
                if slots[0] is not None:
                    value += slots[0] - 97
                expect("i%u_%s" % (how, word), value, wanted)
    # Results of imports that Rust cannot take.
    for bad, error in wrong:
        samples = [bad]
        slots["gives"], slots[1] = True, 0
        if here("Field"):
            for how in range(RETURNED):
                if how != 1:
                    refused("j%u_%s %r" % (how, word, bad()), error, here("j"), how, 0, thing)
            refused("k2_%s %r" % (word, bad()), error, here("k2"), 0)
        if here("k"):
            for how in range(5):
                refused("k%u_%s %r" % (how, word, bad()), error, here("k"), how, 0)


