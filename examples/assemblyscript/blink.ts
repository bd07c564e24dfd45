// The LED blinks, and a text is put together as in any TypeScript.

@external("wiring", "pinMode") declare function pinMode(pin: i32, mode: i32): void;
@external("wiring", "digitalWrite") declare function digitalWrite(pin: i32, level: i32): void;
@external("wiring", "delay") declare function delay(ms: i32): void;
@external("board", "say") declare function say(text: string): void;

const LED = 2;
const OUTPUT = 1;

class Vector {
  constructor(public x: i32, public y: i32) {}

  @operator("+")
  plus(other: Vector): Vector {
    return new Vector(this.x + other.x, this.y + other.y);
  }

  toString(): string {
    return `(${this.x}, ${this.y})`;
  }
}

let blinks = 0;

export function setup(): void {
  pinMode(LED, OUTPUT);
  say("hello from AssemblyScript");
}

export function loop(): void {
  const label = "blink ".concat(blinks.toString());
  digitalWrite(LED, 1);
  delay(100);
  digitalWrite(LED, 0);
  delay(900);
  if (++blinks % 5000 == 0) say(label);
  // The label is garbage now.
  __collect();
}

/** Adds two vectors and tells the sum. */
export function add(ax: i32, ay: i32, bx: i32, by: i32): void {
  __collect();
  say((new Vector(ax, ay) + new Vector(bx, by)).toString());
}
