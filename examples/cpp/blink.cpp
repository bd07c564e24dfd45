// The LED is on as long as a `Light` lives, and a table of primes is made while the program compiles.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRING(name) __attribute__((import_module("wiring"), import_name(#name)))
#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

extern "C" {
WIRING(pinMode) void pinMode(uint32_t pin, uint32_t mode);
WIRING(digitalWrite) void digitalWrite(uint32_t pin, uint32_t level);
WIRING(delay) void delay(uint32_t ms);
__attribute__((import_module("board"), import_name("say"))) void print(const char *text, size_t length);
}

namespace {

constexpr uint32_t OUTPUT = 1;

void say(const char *text) {
    print(text, strlen(text));
}

template <uint32_t PIN> struct Led {
    // Runs at import, as constructors of globals do before `main` elsewhere.
    Led() { pinMode(PIN, OUTPUT); }

    struct Light {
        Light() { digitalWrite(PIN, 1); }
        ~Light() { digitalWrite(PIN, 0); }
    };
};

Led<2> led;

template <size_t N> struct Primes {
    uint16_t values[N] = {};

    constexpr Primes() {
        size_t found = 0;
        for (uint16_t n = 2; found < N; n++) {
            bool prime = true;
            for (size_t i = 0; i < found && prime; i++) {
                prime = n % values[i] != 0;
            }
            if (prime) {
                values[found++] = n;
            }
        }
    }
};

constexpr Primes<100> primes;

} // namespace

EXPORT(setup) void setup() {
    say("hello from C++");
}

EXPORT(loop) void loop() {
    {
        Led<2>::Light light;
        delay(100);
    }
    delay(900);
}

/// The `i`th prime, from 0; 0 when the table does not have it.
EXPORT(prime) uint32_t prime(uint32_t i) {
    return i < 100 ? primes.values[i] : 0;
}
