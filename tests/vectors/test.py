import kernels as m

wrong = []
for seed in (1, 77, 4000000000):
    m.fill(seed)
    for n in (0, 1, 7, 8, 9, 63, 200):
        pairs = (
            ("dot", (n, 3)),
            ("dot", (n, 0)),
            ("image", (n, 90)),
            ("norm", (n, 1.5)),
        )
        for name, args in pairs:
            got, want = getattr(m, name)(*args), getattr(m, name + "_plain")(*args)
            if got != want:
                wrong.append((seed, name, args, got, want))
print(wrong or "same", m.dot(200, 0) != 0, m.image(200, 1) != 0, m.norm(200, 2.0) > 10)
