// Strings of AssemblyScript's, both ways.

@external("host", "name") declare function name(): string;
@external("host", "say") declare function say(text: string): void;

export function greet(name: string): string {
  return `hello ${name}`;
}

/** Both are still there after a collection. */
export function join(a: string, b: string): string {
  __collect();
  return a + b;
}

/** Units of UTF-16; -1 without a text. */
export function units(text: string | null): i32 {
  return text === null ? -1 : text.length;
}

export function ask(): void {
  say(name() + "!");
}

export function fail(text: string): void {
  throw new Error(text);
}
