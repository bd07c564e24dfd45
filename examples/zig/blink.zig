//! The LED blinks, and a table of CRC-16 is computed by the compiler, by the code that would do it at run time.

const wiring = struct {
    extern "wiring" fn pinMode(pin: u32, mode: u32) void;
    extern "wiring" fn digitalWrite(pin: u32, level: u32) void;
    extern "wiring" fn delay(ms: u32) void;
    extern "wiring" fn print(text: [*]const u8, length: usize) void;
};

const led = 2;
const output = 1;

fn say(text: []const u8) void {
    wiring.print(text.ptr, text.len);
}

export fn setup() void {
    wiring.pinMode(led, output);
    say("hello from Zig\n");
}

export fn loop() void {
    for ([_]u32{ 1, 0 }, [_]u32{ 100, 900 }) |level, ms| {
        wiring.digitalWrite(led, level);
        wiring.delay(ms);
    }
}

fn step(register: u16) u16 {
    return if (register & 1 != 0) register >> 1 ^ 0xa001 else register >> 1;
}

const table: [256]u16 = blk: {
    @setEvalBranchQuota(10_000);
    var entries: [256]u16 = undefined;
    for (&entries, 0..) |*entry, i| {
        entry.* = i;
        for (0..8) |_| entry.* = step(entry.*);
    }
    break :blk entries;
};

/// CRC-16/ARC of the decimal digits 1 to 9 and so on, `n` of them.
export fn crc(n: u32) u32 {
    var register: u16 = 0;
    for (0..n) |i| {
        const digit: u8 = @intCast('0' + (i + 1) % 10);
        register = register >> 8 ^ table[(register ^ digit) & 0xff];
    }
    return register;
}
