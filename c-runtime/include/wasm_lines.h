/* Where a trap is (wasm.h), in a module whose lines are known: ", FILE:LINE in NAME" where a line is from a file of the source,
 * which #line says. All others are from the C's own file, whose name is WASM_LINES.
 *
 * It is a header of its own because objects that depend on the name of a file are not shared between folders.
 */
#ifndef WASM_LINES_H
#define WASM_LINES_H

#define WASM_TEXT_OF(number) #number
#define WASM_TEXT(number) WASM_TEXT_OF(number)
#define WASM_SITE(name) \
    (__builtin_strcmp(__FILE__, WASM_LINES) == 0 ? " in " name : ", " __FILE__ ":" WASM_TEXT(__LINE__) " in " name)

#endif
