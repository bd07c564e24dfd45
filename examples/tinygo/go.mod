module blink

go 1.20
