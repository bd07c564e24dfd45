// A LED that blinks, and Fibonacci's numbers from a closure.
package main

import "unsafe"

//go:wasmimport wiring pinMode
func pinMode(pin, mode uint32)

//go:wasmimport wiring digitalWrite
func digitalWrite(pin, level uint32)

//go:wasmimport wiring delay
func delay(ms uint32)

//go:wasmimport wiring print
func printText(text *byte, length uint32)

const (
	led    = 2
	output = 1
)

func say(text string) {
	printText(unsafe.StringData(text), uint32(len(text)))
}

//export setup
func setup() {
	pinMode(led, output)
	say("hello from TinyGo\n")
}

//export loop
func loop() {
	defer delay(900)
	digitalWrite(led, 1)
	delay(100)
	digitalWrite(led, 0)
}

// A generator as Go has them: a function that remembers.
func fibonacci() func() uint32 {
	a, b := uint32(0), uint32(1)
	return func() uint32 {
		a, b = b, a+b
		return a
	}
}

var following = fibonacci()

//export next
func next() uint32 {
	return following()
}

func main() {}
