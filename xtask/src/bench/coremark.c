/* What a module exports of EEMBC's CoreMark, behind its other sources but core_main.c in one translation unit, so that
 * its parts are inlined as those of the Rust port are. */

ee_u8 memory_block[TOTAL_DATA_SIZE];
core_results results;

void start(ee_s32 validation);
void start(ee_s32 validation) {
    core_results *r = &results;
    r->seed1 = r->seed2 = validation ? 0x3415 : 0;
    r->seed3 = 0x66;
    r->size = TOTAL_DATA_SIZE / 3;
    r->execs = ALL_ALGORITHMS_MASK;
    for (ee_u32 i = 0; i < 3; i++) {
        r->memblock[i + 1] = memory_block + i * r->size;
    }
    r->list = core_list_init(r->size, r->memblock[1], r->seed1);
    core_init_matrix(r->size, r->memblock[2], (ee_s32)r->seed1 | ((ee_s32)r->seed2 << 16), &r->mat);
    core_init_state(r->size, r->seed1, r->memblock[3]);
}

/* As `iterate` of core_main.c. */
#undef iterate
ee_s32 iterate(ee_s32 iterations);
ee_s32 iterate(ee_s32 iterations) {
    core_results *r = &results;
    r->crc = r->crclist = r->crcmatrix = r->crcstate = 0;
    for (ee_s32 i = 0; i < iterations; i++) {
        /* The list's functions change r->crc, so it is read behind them. */
        ee_u16 crc = core_bench_list(r, 1);
        r->crc = crcu16(crc, r->crc);
        crc = core_bench_list(r, -1);
        r->crc = crcu16(crc, r->crc);
        if (i == 0) {
            r->crclist = r->crc;
        }
    }
    return r->crc;
}
