import coremark

for validation, name in enumerate(("performance", "validation")):
    coremark.start(validation)
    coremark.iterate(1)
    print(
        name,
        hex(coremark.seedcrc()),
        hex(coremark.crclist()),
        hex(coremark.crcmatrix()),
        hex(coremark.crcstate()),
    )
