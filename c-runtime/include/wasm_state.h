/* The objects that change while a module runs.
 *
 *   WASM_STATE(type, name);           a variable
 *   WASM_STATE(type, name, [count]);  an array
 *   #define name WASM_REACH(name)     after either, so that the name reaches it
 *
 * They lie by themselves, unless the embedder defines WASM_BASE, an expression for the address of a block of memory, before
 * it includes anything. Then they are members of the block behind those of the module (`struct wasm_module`), and the
 * block has WASM_STATE_SIZE() bytes, which are 0 when the module starts. It begins with WASM_HEAD, the embedder's own members.
 */
#ifndef WASM_STATE_H
#define WASM_STATE_H

#include <stddef.h>
#include <stdint.h>

#define WASM_UNUSED __attribute__((unused))

#ifndef WASM_BASE

/* State lies at an unknown distance from the code. Position-independent code may therefore not reach it relative to
 * itself: a visible global makes the compiler go through the GOT. */
#if defined(__PIC__)
#define WASM_STORAGE __attribute__((visibility("default")))
#define WASM_STORAGE_DECLARE extern
#else
#define WASM_STORAGE WASM_UNUSED static
#define WASM_STORAGE_DECLARE WASM_UNUSED static
#endif
#define WASM_STATE(type, name, ...) WASM_STORAGE type name __VA_ARGS__
#define WASM_REACH(name) name

#else

#ifndef WASM_HEAD
#define WASM_HEAD
#endif

/* Each member begins where the one before it ends: number n at wasm_end_n. `__COUNTER__` counts them. */
#define WASM_STATE(type, name, ...) WASM_MEMBER(__COUNTER__, type, name, __VA_ARGS__)
#define WASM_MEMBER(n, type, name, ...) WASM_MEMBER_AT(WASM_JOIN(wasm_end_, n), WASM_END(n), type, name, __VA_ARGS__)
#define WASM_MEMBER_AT(end, next, type, name, ...) \
    typedef type name##_state __VA_ARGS__; \
    enum { \
        name##_at = (end + _Alignof(name##_state) - 1) / _Alignof(name##_state) * _Alignof(name##_state), \
        next = name##_at + sizeof(name##_state), \
    }
#define WASM_REACH(name) (*(name##_state *)(WASM_BASE + name##_at))
#define WASM_STATE_SIZE() WASM_STATE_SIZE_AT(__COUNTER__)
#define WASM_STATE_SIZE_AT(n) WASM_JOIN(wasm_end_, n)
#define WASM_JOIN(a, b) WASM_JOINED(a, b)
#define WASM_JOINED(a, b) a##b

/* The end of member n. The preprocessor cannot add. */
#define WASM_END(n) WASM_JOIN(WASM_END_, n)
#define WASM_END_0 wasm_end_1
#define WASM_END_1 wasm_end_2
#define WASM_END_2 wasm_end_3
#define WASM_END_3 wasm_end_4
#define WASM_END_4 wasm_end_5
#define WASM_END_5 wasm_end_6
#define WASM_END_6 wasm_end_7
#define WASM_END_7 wasm_end_8
#define WASM_END_8 wasm_end_9
#define WASM_END_9 wasm_end_10
#define WASM_END_10 wasm_end_11
#define WASM_END_11 wasm_end_12
#define WASM_END_12 wasm_end_13
#define WASM_END_13 wasm_end_14
#define WASM_END_14 wasm_end_15
#define WASM_END_15 wasm_end_16
#define WASM_END_16 wasm_end_17
#define WASM_END_17 wasm_end_18
#define WASM_END_18 wasm_end_19
#define WASM_END_19 wasm_end_20
#define WASM_END_20 wasm_end_21
#define WASM_END_21 wasm_end_22
#define WASM_END_22 wasm_end_23
#define WASM_END_23 wasm_end_24
#define WASM_END_24 wasm_end_25
#define WASM_END_25 wasm_end_26
#define WASM_END_26 wasm_end_27
#define WASM_END_27 wasm_end_28
#define WASM_END_28 wasm_end_29
#define WASM_END_29 wasm_end_30
#define WASM_END_30 wasm_end_31
#define WASM_END_31 wasm_end_32
#define WASM_END_32 wasm_end_33
#define WASM_END_33 wasm_end_34
#define WASM_END_34 wasm_end_35
#define WASM_END_35 wasm_end_36
#define WASM_END_36 wasm_end_37
#define WASM_END_37 wasm_end_38
#define WASM_END_38 wasm_end_39
#define WASM_END_39 wasm_end_40
#define WASM_END_40 wasm_end_41
#define WASM_END_41 wasm_end_42
#define WASM_END_42 wasm_end_43
#define WASM_END_43 wasm_end_44
#define WASM_END_44 wasm_end_45
#define WASM_END_45 wasm_end_46
#define WASM_END_46 wasm_end_47
#define WASM_END_47 wasm_end_48
#define WASM_END_48 wasm_end_49
#define WASM_END_49 wasm_end_50
#define WASM_END_50 wasm_end_51
#define WASM_END_51 wasm_end_52
#define WASM_END_52 wasm_end_53
#define WASM_END_53 wasm_end_54
#define WASM_END_54 wasm_end_55
#define WASM_END_55 wasm_end_56
#define WASM_END_56 wasm_end_57
#define WASM_END_57 wasm_end_58
#define WASM_END_58 wasm_end_59
#define WASM_END_59 wasm_end_60
#define WASM_END_60 wasm_end_61
#define WASM_END_61 wasm_end_62
#define WASM_END_62 wasm_end_63
#define WASM_END_63 wasm_end_64
#define WASM_END_64 wasm_end_65
#define WASM_END_65 wasm_end_66
#define WASM_END_66 wasm_end_67
#define WASM_END_67 wasm_end_68
#define WASM_END_68 wasm_end_69
#define WASM_END_69 wasm_end_70
#define WASM_END_70 wasm_end_71
#define WASM_END_71 wasm_end_72
#define WASM_END_72 wasm_end_73
#define WASM_END_73 wasm_end_74
#define WASM_END_74 wasm_end_75
#define WASM_END_75 wasm_end_76
#define WASM_END_76 wasm_end_77
#define WASM_END_77 wasm_end_78
#define WASM_END_78 wasm_end_79
#define WASM_END_79 wasm_end_80

#endif

#endif
